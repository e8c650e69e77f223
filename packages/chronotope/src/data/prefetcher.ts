import { fromBuffer, type Tensor } from '@chronotope/torch';
import type { ClipReader, StoredVideo } from './clip-reader.js';
import type { ClipWorkers } from './clip-workers.js';
import type { DrawnClip, DrawnVideo } from './make-views.js';
import type { View } from './views.js';

interface Ahead {
  /** Names what is made: the videos and their turns. */
  key: string;
  buffer: SharedArrayBuffer;
  views: Record<string, { array: Float32Array; shape: number[] }>;
  made: Promise<boolean>;
  isReady: boolean;
}

/**
 * The views of a loader's next batches, made by {@link ClipWorkers} in shared memory and handed over without a copy.
 * The memory of a batch is used again when libtorch has freed its tensors, so it stays at that of the batches ahead and
 * those that the caller holds.
 */
export class Prefetcher {
  readonly #workers: ClipWorkers;
  readonly #reader: ClipReader;
  readonly #ahead = new Map<number, Ahead>();
  readonly #free: SharedArrayBuffer[] = [];

  constructor(workers: ClipWorkers, reader: ClipReader) {
    this.#workers = workers;
    this.#reader = reader;
  }

  has(step: number): boolean {
    return this.#ahead.has(step);
  }

  /** Begins to make the views of a step. */
  start(step: number, key: string, videos: readonly DrawnVideo[]): void {
    const shapes = viewShapes(videos);
    const lengths = shapes.map(([, shape]) => shape.reduce((product, side) => product * side, 1));
    const buffer = this.#memory(4 * lengths.reduce((sum, length) => sum + length, 0));
    let offset = 0;
    const views = Object.fromEntries(
      shapes.map(([name, shape], k) => {
        const array = new Float32Array(buffer, offset, lengths[k]!);
        offset += array.byteLength;
        return [name, { array, shape }];
      }),
    );
    const memory = Object.fromEntries(Object.entries(views).map(([name, { array }]) => [name, array]));
    const made = this.#workers.make({ videos, stored: this.#stored(videos), memory });
    // Its failure is met when its turn comes; until then it must not count as unhandled.
    made.catch(() => {});
    this.#ahead.set(step, { key, buffer, views, made, isReady: false });
  }

  /**
   * Waits until the views of a step are made or cannot be.
   *
   * @throws ChronotopeError `loader-worker-ended`
   */
  async wait(step: number): Promise<void> {
    const ahead = this.#ahead.get(step);
    if (ahead !== undefined) ahead.isReady = await ahead.made;
  }

  /** The views of a step, if they are ready and are those of the key; gives up those of this and of earlier steps. */
  take(step: number, key: string): Record<string, Tensor> | null {
    const ahead = this.#ahead.get(step);
    for (const earlier of [...this.#ahead.keys()].filter((other) => other <= step)) this.#ahead.delete(earlier);
    if (ahead === undefined || !ahead.isReady) return null;
    if (ahead.key !== key) {
      this.#free.push(ahead.buffer);
      return null;
    }
    const { buffer, views } = ahead;
    let inUse = Object.keys(views).length;
    const whenFree = (): void => {
      inUse -= 1;
      if (inUse === 0) this.#free.push(buffer);
    };
    return Object.fromEntries(
      Object.entries(views).map(([name, { array, shape }]) => [name, fromBuffer(array, { shape, whenFree })]),
    );
  }

  #memory(bytes: number): SharedArrayBuffer {
    const fitting = this.#free.findIndex(({ byteLength }) => byteLength === bytes);
    return fitting < 0 ? new SharedArrayBuffer(bytes) : this.#free.splice(fitting, 1)[0]!;
  }

  #stored(videos: readonly DrawnVideo[]): Map<string, StoredVideo> {
    return new Map(
      videos.map(({ id }) => {
        const { file, offsets, frames, height, width } = this.#reader.info(id);
        return [id, { file, offsets, frames, height, width }];
      }),
    );
  }
}

/** The shape of each view of a batch, [...shape of the view, N, 3, T, S, S]. */
function viewShapes(videos: readonly DrawnVideo[]): [name: string, shape: number[]][] {
  const views = new Map<View, DrawnClip>();
  for (const clip of videos[0]!.clips) views.set(clip.view, clip);
  return [...views].map(([view, { frames, size }]) => [
    view.name,
    [...view.shape, videos.length, 3, frames.length, size, size],
  ]);
}
