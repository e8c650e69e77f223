import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { scope, type Tensor, tensor } from '@chronotope/torch';
import {
  type ContactSheet,
  type Picture,
  type SheetStrip,
  type StoredVideo,
  writeContactSheet,
} from '@chronotope/video';
import { readClassFolders } from '../data/class-folders.js';
import { ClipReader } from '../data/clip-reader.js';
import { describeAugmentation, describeFrames, describePlace } from '../data/describe-clip.js';
import { ClipLoader } from '../data/loader.js';
import type { DrawnClip } from '../data/make-views.js';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { type ViewStage, viewPlan } from '../methods/timebalance/view-plans.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import { silentProgress } from '../training/progress.js';
import { prepareVideos } from './prepare-videos.js';

/** Settings of {@link inspectViews}. */
export interface InspectOptions {
  /** A folder of class folders, or one video file. */
  data: string;
  recipe: TimeBalanceRecipe;
  /** Whose views. */
  stage: ViewStage;
  /** The video's id, its path, or the end of either if that names one video; the first video by default. */
  sample?: string;
  /** The views differ from epoch to epoch. Default 0. */
  epoch?: number;
  /** The contact sheet: a `.png`, `.svg` or `.html` file. */
  out: string;
  signal?: AbortSignal;
}

/** What {@link inspectViews} found. */
export interface InspectedViews {
  id: string;
  clips: DrawnClip[];
}

/** Frames of the strip that shows the stored video. */
const OVERVIEW_FRAMES = 8;

/**
 * Draws the views of one video as a stage gets them in an epoch of a run with this recipe, from the loader that the run
 * uses, and says what was drawn for each.
 *
 * @throws ChronotopeError `sample-missing`, `no-usable-videos` when the video is too short or broken
 */
export async function inspectViews(options: InspectOptions): Promise<InspectedViews> {
  const { data, recipe, stage, epoch = 0, out, signal } = options;
  const { entries, classes } = readData(data);
  const entry = findSample(entries, options.sample);
  const temporary = mkdtempSync(join(tmpdir(), 'chronotope-inspect-'));
  try {
    const { store } = await prepareVideos([entry], temporary, recipe.frames, { progress: silentProgress, signal });
    const reader = new ClipReader(store);
    try {
      const plan = viewPlan(recipe, stage);
      const loader = new ClipLoader({
        ...{ entries: [entry], classes, reader, plan },
        ...{ size: recipe.inputSize, batchSize: 1, seed: recipe.seed },
      });
      const { clips, batch } = loader.inspect(entry.id, epoch);
      const stored = store.get(entry.id)!;
      await writeContactSheet(out, {
        title: entry.id,
        notes: [
          `views of ${stage}, epoch ${epoch}, seed ${recipe.seed}`,
          `${entry.label === null ? 'unlabelled' : `class ${entry.label}`}; stored ${stored.width} x ${stored.height}, ${stored.frames} frames, ${stored.frameRate.toFixed(2)} a second`,
        ],
        strips: [overview(reader, stored), ...clips.map((clip) => clipStrip(clip, batch.views, stored))],
      } satisfies ContactSheet);
      return { id: entry.id, clips };
    } finally {
      reader.dispose();
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function readData(data: string): { entries: ManifestEntry[]; classes: string[] } {
  if (!statSync(data, { throwIfNoEntry: false })?.isFile()) return readClassFolders(data);
  return { entries: [{ id: basename(data), path: data, label: null, split: 'train' }], classes: [] };
}

function findSample(entries: readonly ManifestEntry[], sample: string | undefined): ManifestEntry {
  if (sample === undefined && entries.length > 0) return entries[0]!;
  const exact = entries.find(({ id, path }) => id === sample || resolve(path) === resolve(sample ?? ''));
  const similar = entries.filter(({ id }) => id.endsWith(sample ?? ''));
  if (exact !== undefined) return exact;
  if (similar.length === 1) return similar[0]!;
  const examples = (similar.length > 0 ? similar : entries).slice(0, 3).map(({ id }) => `"${id}"`);
  const count = similar.length === 0 ? 'no video' : `${similar.length} videos`;
  throw new ChronotopeError('sample-missing', `"${sample}" names ${count} of this data folder`, {
    hint: `Give an id, such as ${examples.join(', ')}.`,
    details: { sample },
  });
}

/** The stored video, evenly. */
function overview(reader: ClipReader, stored: StoredVideo): SheetStrip {
  const count = Math.min(OVERVIEW_FRAMES, stored.frames);
  const frames = Array.from({ length: count }, (_, k) => Math.floor(((k + 0.5) * stored.frames) / count));
  const images = scope(() => {
    const [group] = reader.read([{ id: stored.id, frames }]);
    return imagesOf(group!.frames.select(0, 0));
  });
  return {
    heading: 'the stored video',
    details: [],
    images,
    captions: captionsOf(frames, stored),
    places: placesOf(frames, stored),
  };
}

/** One clip as the network gets it, its normalisation undone. */
function clipStrip(clip: DrawnClip, views: Record<string, Tensor>, stored: StoredVideo): SheetStrip {
  const { view, index, frames, size, augmentation } = clip;
  const images = scope(() => {
    const all = views[view.name]!;
    // [clips of the view, 3, T, S, S] of the only video of the batch.
    const values = all.view([-1, ...all.shape.slice(-4)]).select(0, index);
    const { mean, std } = augmentation.normalise ?? { mean: [0, 0, 0], std: [1, 1, 1] };
    const channel = (numbers: readonly number[]) => tensor(Float32Array.from(numbers), { shape: [3, 1, 1, 1] });
    const shown = values.mul(channel(std)).add(channel(mean)).mul(255).round().clamp({ min: 0, max: 255 });
    return imagesOf(shown.permute([1, 2, 3, 0]).to({ dtype: 'uint8' }));
  });
  return {
    heading: describePlace(clip),
    details: [`${describeFrames(frames)}; ${unbroken(describeAugmentation(augmentation, stored, size)).join(', ')}`],
    images,
    captions: captionsOf(frames, stored),
    places: placesOf(frames, stored),
  };
}

/** Phrases that a line is not broken within. */
function unbroken(phrases: readonly string[]): string[] {
  return phrases.map((phrase) => phrase.replaceAll(' ', '\u00a0'));
}

/** The frames of uint8 [T, H, W, 3]. */
function imagesOf(frames: Tensor): Picture[] {
  const [count, height, width] = frames.shape as [number, number, number];
  const data = frames.contiguous().data() as Uint8Array;
  const bytes = height * width * 3;
  return Array.from({ length: count }, (_, k) => ({ data: data.slice(k * bytes, (k + 1) * bytes), height, width }));
}

/** Number and time of each frame. */
function captionsOf(frames: readonly number[], { timestamps }: StoredVideo): string[] {
  return frames.map((frame) => `${frame} · ${timestamps[frame]!.toFixed(2)} s`);
}

function placesOf(frames: readonly number[], stored: StoredVideo): number[] {
  return frames.map((frame) => frame / Math.max(1, stored.frames - 1));
}
