import { invalidArgument, type VideoErrorCode } from './errors.js';
import type { FrameStore } from './frame-store.js';
import type { StoreFormat } from './store-entry.js';
import type { StorePlan } from './store-plan.js';
import type { KnownFile } from './store-sources.js';

/** How a frame store is built. */
export interface BuildFrameStoreOptions {
  /** Pixels of the shorter side. */
  shortSide: number;
  /** Frames per second. Default: every frame of the file. */
  fps?: number;
  /** Most frames of a video. Default: all. */
  maxFrames?: number;
  /** Raw pixels, JPEG pictures, or raw where it fits into the budget and JPEG otherwise. Default `auto`. */
  format?: StoreFormat | 'auto';
  /** Most bytes for `auto` to choose raw. Default: half of the free disk, and no more than the machine's memory. */
  budgetBytes?: number;
  /** Videos decoded at the same time. Default: the number of processors. */
  concurrency?: number;
  /** Milliseconds for one video. Default 300,000. */
  timeoutMs?: number;
  /** Stops the build; what is stored so far stays. */
  signal?: AbortSignal;
  /** How entries of earlier builds are checked: by the length or the checksum of their frames. Default `length`. */
  verify?: 'length' | 'checksum';
  /** Bytes of the disk that must stay free. Default 256 MiB. */
  reserveBytes?: number;
  /**
   * What is known from elsewhere of the file at an absolute path. Unless it has been changed since, it is neither read to
   * find out what it holds nor asked for its header. Default: nothing.
   */
  known?: (path: string) => KnownFile | null;
  /** Called once, before anything is decoded. */
  onPlan?: (plan: StorePlan) => void;
  /** Called after each video and, while headers are read, after each header. */
  onProgress?: (progress: BuildProgress) => void;
}

/** Progress of `buildFrameStore`. */
export interface BuildProgress {
  /** `check`: looking for stored entries and reading headers; `decode`: storing frames. */
  phase: 'check' | 'decode';
  /** Videos that this phase is done with. */
  done: number;
  /** Videos of this phase. */
  total: number;
  /** Id of the video just done. */
  id: string;
  stored: number;
  reused: number;
  failed: number;
  /** Bytes written by this build. */
  bytes: number;
}

/** A video that is not in the store, and why. */
export interface FailedVideo {
  id: string;
  path: string;
  code: VideoErrorCode;
  reason: string;
  hint: string;
}

/** Result of `buildFrameStore`; `stored` and `reused` count videos. */
export interface BuildResult {
  stored: number;
  reused: number;
  failed: FailedVideo[];
  /** What was decided before anything was decoded. */
  plan: StorePlan;
  /** The videos that can be used. */
  store: FrameStore;
}

/** @throws VideoError `invalid-argument` for an id that two videos have and for impossible settings */
export function checkBuild(videos: readonly { id: string }[], options: BuildFrameStoreOptions): void {
  const seen = new Set<string>();
  for (const { id } of videos) {
    if (seen.has(id))
      throw invalidArgument(`The id ${JSON.stringify(id)} is used for two videos.`, 'Give every video its own id.');
    seen.add(id);
  }
  if (!Number.isInteger(options.shortSide) || options.shortSide < 1) {
    throw invalidArgument(`shortSide is ${options.shortSide}.`, 'Give a whole number of pixels of at least 1.');
  }
  for (const name of ['fps', 'maxFrames', 'concurrency', 'budgetBytes'] as const) {
    const value = options[name];
    if (value !== undefined && !(value > 0)) throw invalidArgument(`${name} is ${value}.`, 'It must be above 0.');
  }
}
