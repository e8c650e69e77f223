import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { scope, type Tensor } from '@chronotope/torch';
import { buildFrameStore, encodePicture, FrameStore } from '@chronotope/video';
import { ClipReader } from '../../data/clip-reader.js';
import { ClipLoader, disposeBatch } from '../../data/loader.js';
import type { ManifestEntry } from '../../data/manifest.js';
import { activationMap, paintMap } from '../../explain/activation-map.js';
import type { ChosenPrediction } from '../../explain/choose-examples.js';
import type { Picture } from '../../explain/content.js';
import { viewPlan } from '../../methods/timebalance/view-plans.js';
import type { Classifier } from '../../models/classifier.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { interrupted } from '../../training/fit.js';

/** Height of a frame in a strip in pixels. */
const HEIGHT = 112;
/** Frames of a clip shown at most. */
const MOST_FRAMES = 8;
/** Width of the line between two frames. */
const GAP = 2;
/** Longest shape of a frame, either way. */
const LONGEST = 2;

/**
 * Pictures of the clips that a network judges: the same frames and the same part of them, but larger than the network
 * sees them.
 */
export class FilmStrips {
  private constructor(
    private readonly folder: string,
    private readonly reader: ClipReader,
    private readonly loader: ClipLoader,
    private readonly ids: ReadonlySet<string>,
    private readonly clip: number,
  ) {}

  /**
   * Decodes the videos to be shown once more.
   *
   * @returns null when none can be decoded
   */
  static async open(
    entries: readonly ManifestEntry[],
    recipe: TimeBalanceRecipe,
    options: { classes: readonly string[]; signal?: AbortSignal },
  ): Promise<FilmStrips | null> {
    const { classes, signal } = options;
    const folder = mkdtempSync(path.join(tmpdir(), 'chronotope-report-'));
    try {
      const { fps, maxFrames } = recipe.frames;
      const frames = { shortSide: HEIGHT, fps: fps ?? undefined, maxFrames };
      const videos = entries.map(({ id, path }) => ({ id, path }));
      const { failed } = await buildFrameStore(folder, videos, { ...frames, signal }).catch((error: unknown) => {
        throw signal?.aborted ? interrupted() : error;
      });
      const usable = entries.filter(({ id }) => failed.every((one) => one.id !== id));
      if (usable.length === 0) {
        rmSync(folder, { recursive: true, force: true });
        return null;
      }
      const reader = new ClipReader(await FrameStore.open(folder, frames));
      const plan = viewPlan(recipe, 'evaluation');
      const loader = new ClipLoader({
        ...{ entries: usable, classes, reader, plan, size: HEIGHT, seed: recipe.seed },
        ...{ batchSize: 1, shuffle: false },
      });
      const ids = new Set(usable.map(({ id }) => id));
      return new FilmStrips(folder, reader, loader, ids, Math.floor(recipe.evaluation.clips / 2));
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Whether a video could be decoded. */
  has(id: string): boolean {
    return this.ids.has(id);
  }

  /** Frames of the middle test clip of a video. */
  async frames(id: string): Promise<Picture> {
    const clip = middleClip(this.loader, id, this.clip);
    const picture = await this.encode(clip, id);
    clip.dispose();
    return picture;
  }

  /**
   * The same with the evidence for a prediction painted over it, and the evidence of each step in time.
   *
   * @param input the loader that makes the network's own clips
   */
  async evidence(
    id: string,
    { predicted, against }: ChosenPrediction,
    { model, input }: { model: Classifier; input: ClipLoader },
  ): Promise<{ evidence: Picture; moments: number[] }> {
    const { painted, moments } = scope(() => {
      const seen = middleClip(input, id, this.clip);
      const map = activationMap(model, seen.unsqueeze(0), { for: predicted, against }).select(0, 0);
      const moments = [...(map.mean([1, 2]).data() as Float32Array)];
      return { painted: paintMap(middleClip(this.loader, id, this.clip), map), moments };
    });
    const evidence = await this.encode(painted, id);
    painted.dispose();
    return { evidence, moments };
  }

  dispose(): void {
    this.reader.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** @param clip float32 `[3, T, H, W]` in [0, 1] */
  private async encode(clip: Tensor, id: string): Promise<Picture> {
    const { height, width } = this.reader.info(id);
    const shape = Math.min(LONGEST, Math.max(1 / LONGEST, width / height));
    const joined = sideBySide(clip);
    const count = (joined.width + GAP) / (HEIGHT + GAP);
    const size = { height: HEIGHT, width: Math.round(count * HEIGHT * shape) };
    const bytes = await encodePicture(joined, { ...size, format: 'jpeg', quality: 72 });
    return { source: `data:image/jpeg;base64,${bytes.toString('base64')}`, ...size };
  }
}

/** float32 `[3, T, S, S]` */
function middleClip(loader: ClipLoader, id: string, clip: number): Tensor {
  return scope(() => {
    const { batch } = loader.inspect(id, 0);
    const chosen = batch.views.clips!.select(0, clip).select(0, 0).clone();
    disposeBatch(batch);
    return chosen;
  });
}

/** Some frames of a clip `[3, T, S, S]` in a row, as uint8 R, G, B. */
function sideBySide(clip: Tensor): { data: Uint8Array; height: number; width: number } {
  const [, frames, height, side] = clip.shape as [number, number, number, number];
  const count = Math.min(MOST_FRAMES, frames);
  const values = scope(() =>
    clip.mul(255).round().clamp({ min: 0, max: 255 }).to({ dtype: 'uint8' }).contiguous().data(),
  );
  const width = count * (side + GAP) - GAP;
  const data = new Uint8Array(3 * height * width).fill(128);
  for (let place = 0; place < count; place++) {
    const frame = count === 1 ? 0 : Math.round((place * (frames - 1)) / (count - 1));
    for (let channel = 0; channel < 3; channel++) {
      for (let y = 0; y < height; y++) {
        const from = ((channel * frames + frame) * height + y) * side;
        const to = y * width + place * (side + GAP);
        for (let x = 0; x < side; x++) data[3 * (to + x) + channel] = values[from + x] as number;
      }
    }
  }
  return { data, height, width };
}
