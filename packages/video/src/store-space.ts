import { statfs } from 'node:fs/promises';
import { diskFullError, VideoError } from './errors.js';
import { formatBytes, type StorePlan } from './store-plan.js';

/** Free space is looked at again after this many bytes. */
const bytesBetweenChecks = 64 << 20;

/** Watches over the disk that a frame store is written to. */
export class StoreSpace {
  readonly #folder: string;
  readonly #reserveBytes: number;
  #written = 0;
  #lookAgainAt = bytesBetweenChecks;

  /** @param reserveBytes what must stay free; 256 MiB by default */
  constructor(folder: string, reserveBytes = 256 << 20) {
    this.#folder = folder;
    this.#reserveBytes = reserveBytes;
  }

  /** Bytes written so far. */
  get written(): number {
    return this.#written;
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize;
  }

  /** @throws VideoError `disk-full` where what is planned does not fit */
  require({ toDecode, bytesToWrite, freeBytes, format }: StorePlan): void {
    if (toDecode === 0 || bytesToWrite + this.#reserveBytes <= freeBytes) return;
    const reserve = formatBytes(this.#reserveBytes);
    throw new VideoError({
      code: 'disk-full',
      path: this.#folder,
      reason: `The frames of ${toDecode} videos need about ${formatBytes(bytesToWrite)} as ${format}, but only ${formatBytes(freeBytes)} are free and ${reserve} of them must stay so.`,
      hint: 'Free some space, choose a folder on another disk, or use the format jpeg or a smaller shortSide, fps or maxFrames.',
    });
  }

  /**
   * Counts what was written. Headers can understate what a file holds, and others write to the disk as well, so that the
   * plan alone is no guarantee.
   *
   * @throws VideoError `disk-full` where less than the reserve is left
   */
  async note(bytes: number): Promise<void> {
    this.#written += bytes;
    if (this.#written < this.#lookAgainAt) return;
    this.#lookAgainAt = this.#written + bytesBetweenChecks;
    if ((await this.freeBytes()) < this.#reserveBytes) throw diskFullError(this.#folder);
  }
}
