import { statSync } from 'node:fs';
import { fromFile, keep, scope, stack, type Tensor, TorchError, tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';

/** A decoded video: a file of `frames` x `height` x `width` x 3 bytes, R, G, B, first frame first. */
export interface StoredVideo {
  file: string;
  frames: number;
  height: number;
  width: number;
  /** When each frame is shown, in seconds. */
  timestamps?: readonly number[];
}

/** Where decoded videos are found by id, for example a frame store of `@chronotope/video`. */
export interface VideoStore {
  get(id: string): StoredVideo | null | undefined;
}

/** A clip to read: which frames of which video, in the order wanted; a frame may occur more than once. */
export interface ClipRequest {
  id: string;
  frames: readonly number[];
}

/** Clips whose frames have one size. */
export interface ClipGroup {
  height: number;
  width: number;
  /** Position in the list of requests of each clip in `frames`. */
  positions: number[];
  /** uint8 [n, T, height, width, 3] */
  frames: Tensor;
}

const OPEN_VIDEOS = 512;

/**
 * Gathers clips from decoded videos. The files are memory-mapped, so a clip costs the copy of its own frames, and the
 * operating system's page cache is the only cache.
 */
export class ClipReader {
  readonly #store: VideoStore;
  /** Mapped videos, uint8 [frames, height, width, 3], the least recently used first. */
  readonly #open = new Map<string, Tensor>();

  constructor(store: VideoStore) {
    this.#store = store;
  }

  /**
   * The stored form of a video.
   *
   * @throws ChronotopeError `video-not-stored`
   */
  info(id: string): StoredVideo {
    const video = this.#store.get(id);
    if (video === null || video === undefined) {
      throw new ChronotopeError('video-not-stored', `the video "${id}" is not in the frame store`, {
        hint: 'Build the frame store again from this data folder.',
        details: { id },
      });
    }
    return video;
  }

  /**
   * Reads clips of equal length, grouped by the size of their frames.
   *
   * @throws ChronotopeError `video-not-stored`; `frames-damaged` when a stored file is missing or too short
   */
  read(requests: readonly ClipRequest[]): ClipGroup[] {
    const bySize = new Map<string, number[]>();
    for (const [position, { id }] of requests.entries()) {
      const { height, width } = this.info(id);
      const size = `${height}x${width}`;
      const positions = bySize.get(size);
      if (positions === undefined) {
        bySize.set(size, [position]);
      } else {
        positions.push(position);
      }
    }
    return [...bySize.values()].map((positions) => {
      const { height, width } = this.info(requests[positions[0]!]!.id);
      const frames = scope(() => stack(positions.map((position) => this.#clip(requests[position]!))));
      return { height, width, positions, frames };
    });
  }

  /** Unmaps all videos. */
  dispose(): void {
    for (const video of this.#open.values()) {
      video.dispose();
    }
    this.#open.clear();
  }

  #clip({ id, frames }: ClipRequest): Tensor {
    return this.#video(id).indexSelect(0, tensor(BigInt64Array.from(frames, BigInt)));
  }

  #video(id: string): Tensor {
    const known = this.#open.get(id);
    if (known !== undefined) {
      this.#open.delete(id);
      if (!isCutOff(this.info(id))) {
        this.#open.set(id, known);
        return known;
      }
      known.dispose();
    }
    const video = keep(this.#map(id));
    this.#open.set(id, video);
    if (this.#open.size > OPEN_VIDEOS) {
      const [oldest, mapped] = this.#open.entries().next().value!;
      mapped.dispose();
      this.#open.delete(oldest);
    }
    return video;
  }

  #map(id: string): Tensor {
    const { file, frames, height, width } = this.info(id);
    try {
      return fromFile(file, { shape: [frames, height, width, 3], dtype: 'uint8' });
    } catch (error) {
      throw error instanceof TorchError && error.code === 'io' ? framesDamaged(id, error) : error;
    }
  }
}

/** Whether a mapped file was shortened since: touching the lost part of the map would end the process. */
function isCutOff({ file, frames, height, width }: StoredVideo): boolean {
  const now = statSync(file, { throwIfNoEntry: false });
  return now !== undefined && now.size < frames * height * width * 3;
}

function framesDamaged(id: string, cause: Error): ChronotopeError {
  return new ChronotopeError('frames-damaged', `the stored frames of "${id}" are damaged: ${cause.message}`, {
    hint: 'Give the same command again: finished work is kept, and videos that cannot be decoded are left out and listed.',
    details: { id },
    cause,
  });
}
