import { currentState, hashSource, VideoError } from '@chronotope/video';
import type { ManifestEntry } from '../manifest.js';
import type { Failure, FileState, VideoFacts } from './facts.js';
import { orFailure } from './failures.js';
import { inspectMedia, type MediaOptions, type Medium, mediumOf } from './inspect-media.js';
import type { Journal } from './journal.js';

/** What is known of a listed video: everything, or why it cannot be used. */
export type Verdict = { file: FileState; video: VideoFacts } | { failure: Failure };

const UNREADABLE: Failure = {
  code: 'unreadable',
  reason: 'The file cannot be read to its end.',
  hint: 'Check the disk and the permissions, or get another copy.',
};

/** Inspects videos, unless the journal knows them already. */
export class Inspector {
  /** Videos that were not known. */
  inspected = 0;
  readonly #journal: Journal;
  readonly #options: MediaOptions & { signal: AbortSignal };
  /** What could not be read has no contents that the journal could know it by. */
  readonly #unreadable = new Map<string, Failure>();

  constructor(journal: Journal, options: MediaOptions & { signal: AbortSignal }) {
    this.#journal = journal;
    this.#options = options;
  }

  /**
   * Brings the journal up to date with some videos as they are. An unchanged size and time are enough to know one again;
   * else its contents are, so that a file that was moved, copied or touched is not decoded again.
   *
   * @param onDone called for each
   * @throws VideoError `aborted`, `ffmpeg-missing`
   */
  async visit(entries: readonly ManifestEntry[], onDone: () => void): Promise<void> {
    const unknown = new Map<string, { medium: Medium; file: FileState }[]>();
    for (const entry of entries) {
      const medium = mediumOf(entry);
      const file = await this.#newState(medium);
      const known = file === null ? null : this.#journal.recallContents(file.sha256);
      if (file === null || known !== null) {
        if (file !== null) this.#journal.add({ path: medium.key, file, outcome: known!.outcome });
        onDone();
      } else unknown.set(file.sha256, [...(unknown.get(file.sha256) ?? []), { medium, file }]);
    }
    await this.#inspect([...unknown.values()], onDone);
  }

  /** Inspects the first of each group, which all hold the same. */
  async #inspect(groups: readonly { medium: Medium; file: FileState }[][], onDone: () => void): Promise<void> {
    const firsts = groups.map(([first]) => first!.medium);
    let next = 0;
    for await (const outcome of inspectMedia(firsts, this.#options)) {
      for (const { medium, file } of groups[next++]!) {
        this.#journal.add({ path: medium.key, file, outcome });
        onDone();
      }
      this.inspected += 1;
    }
  }

  /** What a medium holds now; null if it is known as it is, or cannot be read, which is noted. */
  async #newState({ key, video }: Medium): Promise<FileState | null> {
    const { signal } = this.#options;
    try {
      const found = await orFailure(async () => {
        const { bytes, modifiedMs: modified } = await currentState(video);
        if (this.#journal.knows(key, { bytes, modified })) return null;
        return { bytes, modified, sha256: await hashSource(video, signal) };
      });
      if (found === null || !('failure' in found)) return found;
      this.#unreadable.set(key, found.failure);
    } catch (error) {
      if (signal.aborted || error instanceof VideoError) throw error;
      this.#unreadable.set(key, UNREADABLE);
    }
    return null;
  }

  /** What visiting gave. */
  of(entry: ManifestEntry): Verdict {
    const { key } = mediumOf(entry);
    const unreadable = this.#unreadable.get(key);
    if (unreadable !== undefined) return { failure: unreadable };
    const { file, outcome } = this.#journal.of(key)!;
    return 'failure' in outcome ? outcome : { file, video: outcome.video };
  }
}
