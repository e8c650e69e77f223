import { ChronotopeError } from '../errors.js';

/** A video whose stored frames could not be read. */
export interface DamagedVideo {
  id: string;
  reason: string;
}

/** A place of a damaged video in a batch. */
export interface SkippedSample extends DamagedVideo {
  /** The video that took the place; null where it stayed empty. */
  replacedBy: string | null;
}

/** What reading a video can throw when its stored frames are missing, cut off or altered; `details.id` names it. */
const DAMAGE_CODES = ['frames-damaged', 'video-not-stored'];

/**
 * The videos of a loader that could not be read. One that failed is not tried again, so that what a batch holds depends
 * on which videos are damaged, and not on when that was noticed.
 */
export class DamagedVideos {
  readonly #reasons = new Map<string, string>();
  #skipped: SkippedSample[] = [];

  has(id: string): boolean {
    return this.#reasons.has(id);
  }

  list(): DamagedVideo[] {
    return [...this.#reasons].map(([id, reason]) => ({ id, reason }));
  }

  /** Does some reading; `'damaged'` when that found a damaged video, which is then known. Other errors pass. */
  watch<T>(read: () => T): T | 'damaged' {
    try {
      return read();
    } catch (error) {
      const isDamage = error instanceof ChronotopeError && DAMAGE_CODES.includes(error.code);
      if (!isDamage || this.has(error.details.id as string)) throw error;
      this.#reasons.set(error.details.id as string, error.message);
      return 'damaged';
    }
  }

  /** Notes that a place of a damaged video was given to another one, or to none. */
  skip(id: string, replacedBy: string | null): void {
    this.#skipped.push({ id, reason: this.#reasons.get(id)!, replacedBy });
  }

  /** The notes since the last call. */
  takeSkipped(): SkippedSample[] {
    const skipped = this.#skipped;
    this.#skipped = [];
    return skipped;
  }
}
