import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cat, full, scope, type Tensor } from '@chronotope/torch';
import { buildFrameStore, encodePicture, type Picture as PixelPicture } from '@chronotope/video';
import { ClipReader } from '../../data/clip-reader.js';
import { ClipLoader } from '../../data/loader.js';
import type { ManifestEntry } from '../../data/manifest.js';
import { sourceVideo } from '../../data/source-video.js';
import type { ViewPlan } from '../../data/views.js';
import { argmax } from '../../evaluation/video-level.js';
import { activationMap, paintMap } from '../../explain/activation-map.js';
import type { ChosenPrediction } from '../../explain/choose-examples.js';
import type { ExplainedPrediction, Picture } from '../../explain/content.js';
import type { Classifier } from '../../models/classifier.js';
import type { FrameSettings } from '../../recipes/parts.js';
import { interrupted } from '../../training/fit.js';

/** Height of a frame in a strip in pixels. */
const HEIGHT = 112;
/** Frames shown of a clip that is only an example, and of one that is explained. */
const FEW_FRAMES = 4;
const MANY_FRAMES = 8;
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
  ) {}

  /**
   * Decodes the videos to be shown once more.
   *
   * @param options.frames how the run decodes videos
   * @param options.plan the clips of each video, in the view `clips`, without normalisation
   * @returns null when none can be decoded
   */
  static async open(
    entries: readonly ManifestEntry[],
    options: { frames: FrameSettings; plan: ViewPlan; classes: readonly string[]; signal?: AbortSignal },
  ): Promise<FilmStrips | null> {
    const { plan, classes, signal } = options;
    const folder = mkdtempSync(path.join(tmpdir(), 'chronotope-report-'));
    try {
      const { fps, maxFrames } = options.frames;
      const frames = { shortSide: HEIGHT, fps: fps ?? undefined, maxFrames };
      const videos = entries.map(sourceVideo);
      const { failed, store } = await buildFrameStore(folder, videos, { ...frames, signal }).catch((error: unknown) => {
        throw signal?.aborted ? interrupted() : error;
      });
      const usable = entries.filter(({ id }) => failed.every((one) => one.id !== id));
      if (usable.length === 0) {
        rmSync(folder, { recursive: true, force: true });
        return null;
      }
      const reader = new ClipReader(store);
      const loader = new ClipLoader({
        ...{ entries: usable, classes, reader, plan, size: HEIGHT, seed: 0 },
        ...{ batchSize: 1, shuffle: false },
      });
      const ids = new Set(usable.map(({ id }) => id));
      return new FilmStrips(folder, reader, loader, ids);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Whether a video could be decoded. */
  has(id: string): boolean {
    return this.ids.has(id);
  }

  /**
   * Some frames of the middle test clip of a video.
   *
   * @param count default 4
   */
  async frames(id: string, count = FEW_FRAMES): Promise<Picture> {
    const clip = scope(() => {
      const clips = testClips(this.loader, id);
      return clips.select(0, Math.floor(clips.shape[0]! / 2));
    });
    const picture = await this.encode(clip, id, count);
    clip.dispose();
    return picture;
  }

  /**
   * The test clip that speaks most for a prediction: its frames, the same with the evidence painted over them, and the
   * evidence of each step in time.
   *
   * @param input the loader that makes the network's own clips
   */
  async evidence(
    id: string,
    { predicted, against }: ChosenPrediction,
    { model, input }: { model: Classifier; input: ClipLoader },
  ): Promise<Pick<ExplainedPrediction, 'frames' | 'evidence' | 'moments'>> {
    const { clip, painted, moments } = scope(() => {
      const maps = activationMap(model, testClips(input, id), { for: predicted, against });
      const best = argmax(maps.mean([1, 2, 3]).data() as Float32Array);
      const map = maps.select(0, best);
      const clip = testClips(this.loader, id).select(0, best);
      return { clip, painted: paintMap(clip, map), moments: [...(map.mean([1, 2]).data() as Float32Array)] };
    });
    const frames = await this.encode(clip, id, MANY_FRAMES);
    const evidence = await this.encode(painted, id, MANY_FRAMES);
    for (const tensor of [clip, painted]) tensor.dispose();
    return { frames, evidence, moments };
  }

  dispose(): void {
    this.reader.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** @param clip float32 `[3, T, S, S]` in [0, 1] */
  private async encode(clip: Tensor, id: string, mostFrames: number): Promise<Picture> {
    const { height, width } = this.reader.info(id);
    const shape = Math.min(LONGEST, Math.max(1 / LONGEST, width / height));
    const frames = clip.shape[1]!;
    const count = Math.min(mostFrames, frames);
    const chosen = Array.from({ length: count }, (_, k) => Math.round((k * (frames - 1)) / Math.max(1, count - 1)));
    const size = { height: HEIGHT, width: Math.round(count * HEIGHT * shape) };
    const bytes = await encodePicture(sideBySide(clip, chosen), { ...size, format: 'jpeg', quality: 72 });
    return { source: `data:image/jpeg;base64,${bytes.toString('base64')}`, ...size };
  }
}

/** The test clips of a video, float32 `[M, 3, T, S, S]`. */
function testClips(loader: ClipLoader, id: string): Tensor {
  return scope(() => loader.inspect(id, 0).batch.views.clips!.select(1, 0).clone());
}

/** Frames of a clip float32 `[3, T, S, S]` in a row, with a thin line between them. */
function sideBySide(clip: Tensor, frames: readonly number[]): PixelPicture {
  return scope(() => {
    const [, , height, width] = clip.shape as [number, number, number, number];
    const line = full([3, height, GAP], 0.5);
    const row = cat(
      frames.flatMap((frame, place) => [...(place === 0 ? [] : [line]), clip.select(1, frame)]),
      { dim: 2 },
    );
    const bytes = row.mul(255).round().clamp({ min: 0, max: 255 }).to({ dtype: 'uint8' }).permute([1, 2, 0]);
    const pictureWidth = frames.length * (width + GAP) - GAP;
    return { data: bytes.contiguous().data() as Uint8Array, height, width: pictureWidth };
  });
}
