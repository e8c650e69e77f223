import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { KnownFile } from '@chronotope/video';
import { INDEX_FILES } from './index-files.js';
import { Journal } from './journal.js';

/** What the index of a data set knows of its files, so that decoding them need not ask them again. */
export class KnownFiles {
  readonly #file: string;
  /** Opened when it is first needed: videos that are decoded already are not asked for. */
  #journal: Journal | null = null;

  private constructor(file: string) {
    this.#file = file;
  }

  /**
   * @param data a list in the folder that `indexVideos` wrote, or the folder of videos beside which that folder lies as
   *   `<name>.index`
   * @returns null where there is no index
   */
  static of(data: string): KnownFiles | null {
    const path = resolve(data);
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    const file = join(isFolder ? `${path}.index` : dirname(path), INDEX_FILES.journal);
    return existsSync(file) ? new KnownFiles(file) : null;
  }

  /** What is known of the file at an absolute path; null for nothing, or that it cannot be used. */
  find(path: string): KnownFile | null {
    this.#journal ??= new Journal(this.#file, 'read');
    const found = this.#journal.of(path);
    if (found === null || 'failure' in found.outcome || found.outcome.header === undefined) return null;
    const { bytes, modified: modifiedMs, sha256 } = found.file;
    return { bytes, modifiedMs, sha256, info: { ...found.outcome.header, path, bytes } };
  }

  close(): void {
    this.#journal?.close();
    this.#journal = null;
  }
}
