import { contentHash, fileStamp } from './content-hash.js';
import type { Failure, FileState, VideoFacts } from './facts.js';
import { inspectFile } from './inspect-file.js';
import type { Journal } from './journal.js';

/** What is known of a listed file: everything, or why it cannot be used. */
export type Verdict = { file: FileState; video: VideoFacts } | { failure: Failure };

const UNREADABLE: Failure = {
  code: 'unreadable',
  reason: 'The file cannot be read to its end.',
  hint: 'Check the disk and the permissions, or get another copy.',
};

/** Inspects files, unless the journal knows them already. */
export class Inspector {
  /** Files that were not known. */
  inspected = 0;
  readonly #journal: Journal;
  readonly #limits: { timeoutMs: number; signal: AbortSignal };
  /** Files that could not be read have no contents that the journal could know them by. */
  readonly #unreadable = new Map<string, Failure>();

  constructor(journal: Journal, limits: { timeoutMs: number; signal: AbortSignal }) {
    this.#journal = journal;
    this.#limits = limits;
  }

  /**
   * Brings the journal up to date with the file as it is. An unchanged size and time are enough to know it again; else
   * its contents are, so that a file that was moved, copied or touched is not decoded again.
   *
   * @throws VideoError `aborted`, `ffmpeg-missing`
   */
  async visit(path: string): Promise<void> {
    const stamp = await fileStamp(path);
    if (stamp !== null && this.#journal.knows(path, stamp)) return;
    const sha256 = stamp === null ? null : await contentHash(path, this.#limits.signal);
    if (stamp === null || sha256 === null) {
      const outcome = await inspectFile(path, this.#limits);
      this.#unreadable.set(path, 'failure' in outcome ? outcome.failure : UNREADABLE);
      return;
    }
    const known = this.#journal.recallContents(sha256);
    const outcome = known?.outcome ?? (await inspectFile(path, this.#limits));
    if (known === null) this.inspected += 1;
    this.#journal.add({ path, file: { ...stamp, sha256 }, outcome });
  }

  /** What visiting the file gave. */
  of(path: string): Verdict {
    const unreadable = this.#unreadable.get(path);
    if (unreadable !== undefined) return { failure: unreadable };
    const { file, outcome } = this.#journal.of(path)!;
    return 'failure' in outcome ? outcome : { file, ...outcome };
  }
}
