import { manualSeed, noGrad, scope, type Tensor, tensor } from '@chronotope/torch';
import { videoFeatures } from '../../evaluation/features.js';
import { fitLinearProbe } from '../../evaluation/linear-probe.js';
import { argmax } from '../../evaluation/video-level.js';
import { paintMap } from '../../explain/activation-map.js';
import { fineFeatureMap } from '../../explain/fine-map.js';
import { PRETRAIN } from '../../methods/ccl/pipeline.js';
import { withoutNormalisation } from '../../methods/image-augmentation.js';
import { trainedMethod } from '../../methods/trained-method.js';
import type { VideoBackbone } from '../../models/backbone.js';
import type { CclRecipe } from '../../recipes/ccl.js';
import type { Progress } from '../../training/progress.js';
import { readRunData } from '../run-data.js';
import type { RunFolder } from '../run-folder.js';
import { type LabelledVideos, openVideos } from '../test-videos.js';

/** Side of a painted picture before it is encoded. */
const SIDE = 128;

/** Frames, and which of them are shown. */
export interface ProbedFrames {
  /** `[F, 3, S, S]`, normalised as networks get them. */
  images: Tensor;
  labels: readonly number[];
  shown: readonly number[];
}

/** What a linear probe on frozen features says of frames. */
export interface ProbeMaps {
  /** Share of all frames of the test videos whose class it says. */
  top1: number;
  /** For each shown frame the class that it says, and where it sees the frame's own class. */
  maps: { predicted: number; painted: Tensor }[];
}

/**
 * The labelled training videos of a run, to fit probes on.
 *
 * @returns null where there are labels of fewer than two classes
 */
export async function probeTraining(
  run: RunFolder,
  recipe: CclRecipe,
  options: { progress: Progress; signal?: AbortSignal },
): Promise<LabelledVideos | null> {
  const labelled = readRunData(run).train.filter(({ label }) => label !== null);
  if (new Set(labelled.map(({ label }) => label)).size < 2) return null;
  return openVideos(run, labelled, { recipe, ...options });
}

/** Gives `use` an encoder of the recipe's shape that has learnt nothing: what a probe can do by itself. */
export function withRandomEncoder<T>(recipe: CclRecipe, classes: number, use: (backbone: VideoBackbone) => T): T {
  manualSeed(recipe.seed);
  const { module, backbone } = trainedMethod(recipe).newNetwork(PRETRAIN, classes);
  try {
    return use(backbone);
  } finally {
    module.dispose();
  }
}

/**
 * Class activation maps (Zhou et al., CVPR 2016) of a linear probe on frozen features: the probe, which is linear, is asked
 * at every place of the feature map. A map is the logit of the frame's class above the mean of all classes.
 */
export function probeMaps(
  backbone: VideoBackbone,
  { training, classes }: { training: LabelledVideos; classes: number },
  frames: ProbedFrames,
): ProbeMaps {
  return scope(() =>
    noGrad(() => {
      const { ids, features } = videoFeatures(backbone, training.loader);
      const labels = ids.map((id) => training.truth.get(id)!);
      const groups = ids.map((id) => training.groups.get(id));
      const probe = fitLinearProbe({ features, labels, groups }, { classes });
      const pooled = backbone.featureMap(frames.images.unsqueeze(2)).mean([2, 3, 4]);
      const predicted = probe.predict(pooled).map((probabilities) => argmax(probabilities));
      const right = predicted.filter((label, frame) => label === frames.labels[frame]).length;
      const shown = frames.images.indexSelect(0, tensor(BigInt64Array.from(frames.shown, BigInt)));
      const map = fineFeatureMap(backbone, shown);
      const [count, width, side] = map.shape as [number, number, number, number];
      const places = map.permute([0, 2, 3, 1]).reshape([-1, width]);
      const logits = probe.logits(places).reshape([count, side, side, -1]);
      const evidence = logits.sub(logits.mean(3, { keepdim: true })).to({ dtype: 'float32' });
      return {
        top1: right / frames.labels.length,
        maps: frames.shown.map((frame, k) => ({
          predicted: predicted[frame]!,
          painted: painted(shown.select(0, k), evidence.select(0, k).select(2, frames.labels[frame]!)),
        })),
      };
    }),
  );
}

/** @returns `[3, 128, 128]` in [0, 1] */
function painted(image: Tensor, map: Tensor): Tensor {
  const pixels = withoutNormalisation(image).unsqueeze(0).upsampleBilinear2d([SIDE, SIDE], false);
  return paintMap(pixels.transpose(0, 1), map.unsqueeze(0)).squeeze(1);
}
