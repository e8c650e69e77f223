import { contentHash, fileStamp } from './content-hash.js';
import type { Failure, FileState, Outcome, VideoFacts } from './facts.js';
import { inspectFiles } from './inspect-file.js';
import type { Journal } from './journal.js';

/** What is known of a listed file: everything, or why it cannot be used. */
export type Verdict = { file: FileState; video: VideoFacts } | { failure: Failure };

/** A file of the data set; null for one that could not be read to its end. */
interface ListedFile {
  path: string;
  file: FileState | null;
}

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
   * Brings the journal up to date with some files as they are. An unchanged size and time are enough to know one again;
   * else its contents are, so that a file that was moved, copied or touched is not decoded again.
   *
   * @param onDone called for each file
   * @throws VideoError `aborted`, `ffmpeg-missing`
   */
  async visit(paths: readonly string[], onDone: () => void): Promise<void> {
    const unknown = new Map<string, ListedFile[]>();
    for (const path of paths) {
      const stamp = await fileStamp(path);
      if (stamp !== null && this.#journal.knows(path, stamp)) {
        onDone();
        continue;
      }
      const sha256 = stamp === null ? null : await contentHash(path, this.#limits.signal);
      const file = stamp === null || sha256 === null ? null : { ...stamp, sha256 };
      const known = file === null ? null : this.#journal.recallContents(file.sha256);
      if (known !== null) {
        this.#note({ path, file }, known.outcome);
        onDone();
        continue;
      }
      const contents = sha256 ?? path;
      unknown.set(contents, [...(unknown.get(contents) ?? []), { path, file }]);
    }
    const groups = [...unknown.values()];
    const firsts = groups.map(([first]) => first!.path);
    let next = 0;
    for await (const outcome of inspectFiles(firsts, this.#limits)) {
      const copies = groups[next++]!;
      for (const copy of copies) {
        this.#note(copy, outcome);
        onDone();
      }
      if (copies[0]!.file !== null) this.inspected += 1;
    }
  }

  #note({ path, file }: ListedFile, outcome: Outcome): void {
    if (file !== null) this.#journal.add({ path, file, outcome });
    else this.#unreadable.set(path, 'failure' in outcome ? outcome.failure : UNREADABLE);
  }

  /** What visiting the file gave. */
  of(path: string): Verdict {
    const unreadable = this.#unreadable.get(path);
    if (unreadable !== undefined) return { failure: unreadable };
    const { file, outcome } = this.#journal.of(path)!;
    return 'failure' in outcome ? outcome : { file, video: outcome.video };
  }
}
