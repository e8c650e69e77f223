import { statSync } from 'node:fs';
import { fromFile, keep, scope, stack, type Tensor, TorchError, tensor } from '@chronotope/torch';
import { readPictures, VideoError } from '@chronotope/video';
import { ChronotopeError } from '../errors.js';

/** A decoded video. */
export interface StoredVideo {
  /** Raw pixels, `frames` x `height` x `width` x 3 bytes, R, G, B, first frame first; or JPEG pictures. */
  file: string;
  /** For JPEG pictures, where each begins in the file, and where the last one ends; else absent or null. */
  offsets?: Float64Array | null;
  frames: number;
  height: number;
  width: number;
  /** When each frame is shown, in seconds. */
  timestamps?: readonly number[];
}

/** Where decoded videos are found by id, for example a frame store of `@chronotope/video`. */
export interface VideoStore {
  get(id: string): StoredVideo | null | undefined;
  /** Makes the damaged frames of a video again, or throws why it cannot. */
  repair?(id: string): void;
}

export interface ClipReaderOptions {
  /** Called when the frames of a video were found to be damaged and have been made again. */
  onRepair?: (id: string, reason: string) => void;
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

interface MappedVideo {
  /** uint8 [frames, height, width, 3] */
  frames: Tensor;
  /** Which file was mapped: one that was made again has the same name, and another number. */
  ino: number | undefined;
}

const OPEN_VIDEOS = 512;

/**
 * Gathers clips from decoded videos. Raw files are memory-mapped, so a clip costs the copy of its own frames, and the
 * operating system's page cache is the only cache; of JPEG files, only the wanted pictures are read and decoded.
 */
export class ClipReader {
  readonly #store: VideoStore;
  readonly #options: ClipReaderOptions;
  /** Mapped videos by file, the least recently used first. */
  readonly #open = new Map<string, MappedVideo>();

  constructor(store: VideoStore, options: ClipReaderOptions = {}) {
    this.#store = store;
    this.#options = options;
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
   * Reads clips of equal length, grouped by the size of their frames. A video whose stored frames turn out to be damaged
   * is made again, if its store can do that.
   *
   * @throws ChronotopeError `video-not-stored`; `frames-damaged` when they cannot be made again
   */
  read(requests: readonly ClipRequest[]): ClipGroup[] {
    const bySize = new Map<string, number[]>();
    for (const [position, { id }] of requests.entries()) {
      const { height, width, offsets } = this.info(id);
      const kind = `${height}x${width} ${offsets ? 'jpeg' : 'raw'}`;
      const positions = bySize.get(kind);
      if (positions === undefined) {
        bySize.set(kind, [position]);
      } else {
        positions.push(position);
      }
    }
    return [...bySize.values()].map((positions) => {
      const { height, width } = this.info(requests[positions[0]!]!.id);
      const frames = this.#repairing(positions.map((position) => requests[position]!));
      return { height, width, positions, frames };
    });
  }

  /** Unmaps all videos. */
  dispose(): void {
    for (const video of this.#open.values()) {
      video.frames.dispose();
    }
    this.#open.clear();
  }

  #repairing(requests: readonly ClipRequest[]): Tensor {
    const repaired = new Set<string>();
    for (;;) {
      try {
        return this.#gather(requests);
      } catch (error) {
        const id = damagedVideo(error);
        if (id === null || repaired.has(id)) throw error;
        this.#repair(id, error as ChronotopeError);
        repaired.add(id);
      }
    }
  }

  #repair(id: string, damage: ChronotopeError): void {
    if (this.#store.repair === undefined) throw damage;
    try {
      this.#store.repair(id);
    } catch (cause) {
      throw framesDamaged(id, cause as Error);
    }
    this.#options.onRepair?.(id, damage.message);
  }

  /** Clips of videos of one size and kind, uint8 [n, T, height, width, 3]. */
  #gather(requests: readonly ClipRequest[]): Tensor {
    const isRaw = !this.info(requests[0]!.id).offsets;
    return isRaw ? scope(() => stack(requests.map((request) => this.#rawClip(request)))) : this.#pictures(requests);
  }

  /** uint8 [T, height, width, 3]; evenly spaced frames are a view of the file, which is copied once, into the batch. */
  #rawClip({ id, frames }: ClipRequest): Tensor {
    const [first, second] = frames as [number, number?];
    const step = second === undefined ? 1 : second - first;
    if (step >= 1 && frames.every((frame, t) => frame === first + t * step)) {
      return this.#video(id).slice({ dim: 0, start: first, end: first + (frames.length - 1) * step + 1, step });
    }
    return this.#video(id).indexSelect(0, tensor(BigInt64Array.from(frames, BigInt)));
  }

  #pictures(requests: readonly ClipRequest[]): Tensor {
    const { height, width } = this.info(requests[0]!.id);
    const clips = requests.map(({ id, frames }) => {
      const { file, offsets } = this.info(id);
      return { id, file, offsets: offsets!, frames };
    });
    try {
      const pixels = readPictures(clips, { height, width });
      return tensor(pixels, { shape: [requests.length, requests[0]!.frames.length, height, width, 3] });
    } catch (error) {
      const damaged = error instanceof VideoError && error.code === 'damaged-store' ? error.path : null;
      const clip = clips.find(({ file }) => file === damaged);
      throw clip === undefined ? error : framesDamaged(clip.id, error as Error);
    }
  }

  #video(id: string): Tensor {
    const { file } = this.info(id);
    const known = this.#open.get(file);
    if (known !== undefined) {
      this.#open.delete(file);
      if (!this.#isOutdated(id, known)) {
        this.#open.set(file, known);
        return known.frames;
      }
      known.frames.dispose();
    }
    const video = this.#map(id);
    this.#open.set(file, video);
    if (this.#open.size > OPEN_VIDEOS) {
      const [oldest, mapped] = this.#open.entries().next().value!;
      mapped.frames.dispose();
      this.#open.delete(oldest);
    }
    return video.frames;
  }

  #map(id: string): MappedVideo {
    const { file, frames, height, width } = this.info(id);
    const ino = statSync(file, { throwIfNoEntry: false })?.ino;
    try {
      return { frames: keep(fromFile(file, { shape: [frames, height, width, 3], dtype: 'uint8' })), ino };
    } catch (error) {
      throw error instanceof TorchError && error.code === 'io' ? framesDamaged(id, error) : error;
    }
  }

  /**
   * Whether a mapped file was shortened or made again since, by this process or another one: touching a lost part of
   * the map would end the process.
   */
  #isOutdated(id: string, { ino }: MappedVideo): boolean {
    const { file, frames, height, width } = this.info(id);
    const now = statSync(file, { throwIfNoEntry: false });
    return now !== undefined && (now.size < frames * height * width * 3 || now.ino !== ino);
  }
}

function framesDamaged(id: string, cause: Error): ChronotopeError {
  return new ChronotopeError('frames-damaged', `the stored frames of "${id}" are damaged: ${cause.message}`, {
    hint: 'Give the same command again: finished work is kept, and videos that cannot be decoded are left out and listed.',
    details: { id },
    cause,
  });
}

/** Id of the video whose frames an error is about, or null. */
function damagedVideo(error: unknown): string | null {
  const isDamage = error instanceof ChronotopeError && error.code === 'frames-damaged';
  return isDamage ? (error.details.id as string) : null;
}
