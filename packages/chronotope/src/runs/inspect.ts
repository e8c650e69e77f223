import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scope, type Tensor, tensor } from '@chronotope/torch';
import {
  type ContactSheet,
  type Picture,
  type SheetStrip,
  type StoredVideo,
  writeContactSheet,
} from '@chronotope/video';
import { ClipReader } from '../data/clip-reader.js';
import { describeAugmentation, describeFrames, describePlace } from '../data/describe-clip.js';
import { ClipLoader } from '../data/loader.js';
import type { DrawnClip } from '../data/make-views.js';
import { ChronotopeError } from '../errors.js';
import { STAGES_WITH_VIEWS, stageViews } from '../methods/stage-views.js';
import type { VideoRecipe } from '../recipes/schemas.js';
import { silentProgress } from '../training/progress.js';
import { findSample, type InspectedSource, inspectedVideos } from './inspected-videos.js';
import { prepareVideos } from './prepare-videos.js';

/** Settings of {@link inspectViews}. */
export interface InspectOptions extends InspectedSource {
  /** Whose views: one of {@link STAGES_WITH_VIEWS} of the recipe's method, by default the first of them. */
  stage?: string;
  /** The video's id, its path, or the end of its id; by default the first video. */
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
  method: VideoRecipe['method'];
  stage: string;
  clips: DrawnClip[];
}

/** Frames of the strip that shows the stored video. */
const OVERVIEW_FRAMES = 8;

/**
 * Draws the views of one video as a stage gets them in an epoch of a run with this recipe, from the plan and the loader that
 * the run uses, and says what was drawn for each.
 *
 * @throws ChronotopeError `stage-unknown`, `sample-missing`, `no-usable-videos` when the video is too short or broken, and those
 *   of `inspectedVideos`
 */
export async function inspectViews(options: InspectOptions): Promise<InspectedViews> {
  const { epoch = 0, out, signal } = options;
  const { recipe, entries, storedWith } = await inspectedVideos(options);
  const { method, inputSize: size, seed } = recipe;
  const stage = stageOf(recipe, options.stage);
  const entry = findSample(entries, options.sample);
  const { plan, frames } = stageViews(recipe, stage, entries);
  const temporary = mkdtempSync(join(tmpdir(), 'chronotope-inspect-'));
  try {
    const { store } = await prepareVideos([entry], temporary, storedWith(frames), { progress: silentProgress, signal });
    const reader = new ClipReader(store);
    try {
      // Nothing is learnt here, so the video need not be of a class.
      const unlabelled = [{ ...entry, label: null }];
      const loader = new ClipLoader({ entries: unlabelled, classes: [], reader, plan, size, batchSize: 1, seed });
      const { clips, batch } = loader.inspect(entry.id, epoch);
      const stored = store.get(entry.id)!;
      await writeContactSheet(out, {
        title: entry.id,
        notes: [
          `${method}: views of ${stage}, epoch ${epoch}, seed ${seed}`,
          `${entry.label === null ? 'unlabelled' : `class ${entry.label}`}; stored ${describeStored(stored)}`,
        ],
        strips: [overview(reader, stored), ...clips.map((clip) => clipStrip(clip, batch.views, stored))],
      } satisfies ContactSheet);
      return { id: entry.id, method, stage, clips };
    } finally {
      reader.dispose();
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function stageOf({ method }: VideoRecipe, wanted: string | undefined): string {
  const stages = STAGES_WITH_VIEWS[method];
  if (wanted === undefined) return stages[0]!;
  if (stages.includes(wanted)) return wanted;
  throw new ChronotopeError('stage-unknown', `${method} has no stage "${wanted}" that sees videos`, {
    hint: `Its stages with views of their own are ${stages.join(', ')}.`,
    details: { method, stage: wanted },
  });
}

function describeStored({ width, height, frames, frameRate }: StoredVideo): string {
  const size = `${width} x ${height}`;
  return frames === 1 ? `${size}, one frame` : `${size}, ${frames} frames, ${frameRate.toFixed(2)} a second`;
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
