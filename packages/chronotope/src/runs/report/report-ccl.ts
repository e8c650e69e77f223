import path from 'node:path';
import { cat, noGrad, scope, type Tensor } from '@chronotope/torch';
import { encodePicture } from '@chronotope/video';
import type { ClipLoader } from '../../data/loader.js';
import { ChronotopeError } from '../../errors.js';
import { videoMajor } from '../../evaluation/video-level.js';
import type { Picture } from '../../explain/content.js';
import { appearance, categoryScore, crossVideoNeighbours, type FrameSet } from '../../explain/cross-video.js';
import { type CrossVideoContent, renderCrossVideo, type ShownFrame } from '../../explain/render-cross-video.js';
import type { CclModel } from '../../methods/ccl/model.js';
import { traceCycles } from '../../methods/ccl/trace-cycles.js';
import { withoutNormalisation } from '../../methods/image-augmentation.js';
import type { VideoBackbone } from '../../models/backbone.js';
import type { CclRecipe } from '../../recipes/ccl.js';
import { writeFileAtomic } from '../../training/json-files.js';
import type { Progress } from '../../training/progress.js';
import { RunFolder } from '../run-folder.js';
import { runRecipe } from '../run-recipe.js';
import { openTestVideos, withVideos } from '../test-videos.js';
import { withNetwork } from '../trained-networks.js';
import { type ProbeMaps, probeMaps, probeTraining, withRandomEncoder } from './probe-maps.js';

/** Frames of each video that are compared; frames that are shown as examples, and neighbours of each. */
const [FRAMES, EXAMPLES, NEIGHBOURS] = [4, 6, 5];
const KS = [1, 5, 10];
const HEIGHT = 84;

export interface CclReportOptions {
  out: string;
  data?: string;
  /** Other runs of CCL, such as MoCo or the loss within a video alone, whose neighbours stand beside. */
  against: readonly string[];
  progress: Progress;
  signal?: AbortSignal;
}

/** Frames of the test videos as a run's encoder sees them, and what it makes of them. */
interface SeenFrames extends FrameSet {
  ids: string[];
  /** `[F, 3, S, S]`, normalised as the network gets them. */
  images: Tensor;
  /** `[F, D]` */
  features: Tensor;
  cycles: CrossVideoContent['cycles'];
}

/**
 * Writes the page about an image encoder: whether neighbours in other videos show the same category, neighbours beside
 * those of other runs and of colours alone, where linear probes on the encoders and on a random one look, and cycles.
 *
 * @throws ChronotopeError `no-test-videos`, `stage-missing`; `videos-differ` when another run has other test videos
 */
export async function reportCcl(run: RunFolder, recipe: CclRecipe, options: CclReportOptions): Promise<void> {
  const { classes, createdAt } = run.description;
  const own = await seen(run, recipe, options, true);
  const examples = exampleFrames(own);
  const looks = appearance(own.images);
  const compared = [{ title: titleOf(run, recipe), features: own.features }];
  const probed = { images: own.images, labels: own.labels, shown: examples };
  const probes = [{ title: titleOf(run, recipe), maps: await mapsOf(run, recipe, probed, options) }];
  for (const folder of options.against) {
    const other = RunFolder.open(folder);
    const itsRecipe = runRecipe(other);
    if (itsRecipe.method !== 'ccl') throw notComparable(folder, `it is a run of ${itsRecipe.method}`);
    const frames = await seen(other, itsRecipe, options, false);
    if (frames.ids.join('\n') !== own.ids.join('\n')) throw notComparable(folder, 'it has other test videos');
    compared.push({ title: titleOf(other, itsRecipe), features: frames.features });
    const itsFrames = { ...probed, images: frames.images };
    probes.push({ title: titleOf(other, itsRecipe), maps: await mapsOf(other, itsRecipe, itsFrames, options) });
  }
  probes.push({ title: 'random weights', maps: await mapsOf(run, recipe, probed, options, { random: true }) });
  compared.push({ title: 'colours alone', features: looks });
  const representations = compared.map(({ title, features }) => {
    const found = crossVideoNeighbours(features, own.videos, Math.max(...KS));
    return {
      title,
      score: categoryScore(found, looks, own, KS),
      examples: examples.map((frame) => ({ frame, neighbours: found.frames[frame]!.slice(0, NEIGHBOURS) })),
    };
  });
  const content: Omit<CrossVideoContent, 'frames'> = {
    run: path.basename(path.resolve(run.folder)),
    startedAt: createdAt,
    videos: new Set(own.videos).size,
    framesPerVideo: FRAMES,
    representations,
    probes: await shownProbes(probes, examples, classes),
    cycles: own.cycles,
  };
  const frames = await pictures(own, classes, shownFrames(content));
  writeFileAtomic(options.out, renderCrossVideo({ ...content, frames }));
}

/** What a probe on the run's encoder, or on a random one of its shape, sees; null without labels to fit it on. */
async function mapsOf(
  run: RunFolder,
  recipe: CclRecipe,
  frames: Parameters<typeof probeMaps>[2],
  { progress, signal }: CclReportOptions,
  { random = false } = {},
): Promise<ProbeMaps | null> {
  const training = await probeTraining(run, recipe, { progress, signal });
  if (training === null) return null;
  try {
    const classes = run.description.classes.length;
    const maps = (backbone: VideoBackbone) => probeMaps(backbone.eval(), { training, classes }, frames);
    return random
      ? withRandomEncoder(recipe, classes, maps)
      : withNetwork(run, recipe, { stage: 'pretrain', draw: 0 }, ({ backbone }) => maps(backbone));
  } finally {
    training.reader.dispose();
  }
}

async function shownProbes(
  probes: readonly { title: string; maps: ProbeMaps | null }[],
  examples: readonly number[],
  classes: readonly string[],
): Promise<CrossVideoContent['probes']> {
  const shown: CrossVideoContent['probes'] = [];
  for (const { title, maps } of probes) {
    if (maps === null) continue;
    const examplesOf = [];
    for (const [k, { predicted, painted }] of maps.maps.entries()) {
      const picture = await encoded(painted);
      painted.dispose();
      examplesOf.push({ frame: examples[k]!, predicted: classes[predicted]!, picture });
    }
    shown.push({ title, top1: maps.top1, examples: examplesOf });
  }
  return shown;
}

async function seen(
  run: RunFolder,
  recipe: CclRecipe,
  { data, progress, signal }: CclReportOptions,
  withCycles: boolean,
): Promise<SeenFrames> {
  return withVideos(openTestVideos(run, data, { recipe, clips: FRAMES, progress, signal }), (set) =>
    withNetwork(run, recipe, { stage: 'pretrain', draw: 0 }, ({ module, backbone }) => {
      const { ids, images, features } = readFrames(set.loader, backbone.eval());
      const names = [...new Set(ids)];
      const videos = ids.map((id) => names.indexOf(id));
      const labels = ids.map((id) => set.truth.get(id)!);
      const { kind, temperature, neighbourTemperature } = recipe.objective;
      const hasCycles = withCycles && kind !== 'intra' && kind !== 'moco';
      const starts = exampleFrames({ videos, labels });
      const settings = { temperature: neighbourTemperature ?? temperature, seed: recipe.seed };
      const cycles = hasCycles ? traceCycles(module as CclModel, images, videos, starts, settings) : [];
      return { ids, videos, labels, images, features, cycles };
    }),
  );
}

/** The frames of all videos of a loader, each video's together, and their features. */
function readFrames(loader: ClipLoader, backbone: VideoBackbone): { ids: string[]; images: Tensor; features: Tensor } {
  const ids: string[] = [];
  const [images, features]: [Tensor[], Tensor[]] = [[], []];
  return scope(() => {
    for (const batch of loader.batches(0)) {
      const clips = videoMajor(batch.views.clips!);
      const middle = clips.narrow(2, Math.floor(clips.shape[2]! / 2), 1).clone();
      images.push(middle.squeeze(2));
      features.push(noGrad(() => backbone.featureMap(middle).mean([2, 3, 4])));
      ids.push(...batch.ids.flatMap((id) => Array<string>(FRAMES).fill(id)));
    }
    return { ids, images: cat(images), features: cat(features) };
  });
}

/** The first frame of a video of each of some classes. */
function exampleFrames({ videos, labels }: FrameSet): number[] {
  const classes = [...new Set(labels)];
  const step = Math.max(1, Math.floor(classes.length / EXAMPLES));
  const chosen = classes.filter((_, k) => k % step === 0).slice(0, EXAMPLES);
  return chosen.map((label) => labels.indexOf(label)).filter((frame) => videos[frame] === videos[frame + 1]);
}

function shownFrames({ representations, cycles }: Omit<CrossVideoContent, 'frames'>): number[] {
  const examples = representations.flatMap((one) => one.examples);
  return [
    ...examples.flatMap(({ frame, neighbours }) => [frame, ...neighbours]),
    ...cycles.flatMap(({ start, neighbours, target, reached }) => [
      start,
      ...neighbours.map(({ frame }) => frame),
      target,
      reached,
    ]),
  ];
}

async function pictures(
  { images, ids, labels }: SeenFrames,
  classes: readonly string[],
  wanted: readonly number[],
): Promise<Map<number, ShownFrame>> {
  const frames = new Map<number, ShownFrame>();
  for (const frame of new Set(wanted)) {
    const image = scope(() => withoutNormalisation(images.select(0, frame)));
    const picture = await encoded(image);
    image.dispose();
    frames.set(frame, { picture, id: ids[frame]!, label: classes[labels[frame]!]! });
  }
  return frames;
}

/** @param image `[3, H, W]` in [0, 1] */
async function encoded(image: Tensor): Promise<Picture> {
  const [, height, width] = image.shape as [number, number, number];
  const data = scope(() => {
    const bytes = image.mul(255).round().clamp({ min: 0, max: 255 }).to({ dtype: 'uint8' });
    return bytes.permute([1, 2, 0]).contiguous().data() as Uint8Array;
  });
  const size = { height: HEIGHT, width: HEIGHT };
  const bytes = await encodePicture({ data, height, width }, { ...size, format: 'jpeg' });
  return { source: `data:image/jpeg;base64,${bytes.toString('base64')}`, ...size };
}

function titleOf(run: RunFolder, { objective }: CclRecipe): string {
  return `${path.basename(path.resolve(run.folder))} (${objective.kind})`;
}

function notComparable(folder: string, why: string): ChronotopeError {
  return new ChronotopeError('videos-differ', `${folder} cannot stand beside this run: ${why}`, {
    hint: 'Compare runs of CCL on the same data.',
  });
}
