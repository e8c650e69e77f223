import { appendFile, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { sizeOfReadableFile } from './probe.js';
import { hashFile } from './store-entry.js';

/** A video file at one moment. */
export interface SourceState {
  /** Absolute path. */
  path: string;
  bytes: number;
  /** Time of the last change, milliseconds since 1970. */
  modifiedMs: number;
}

/** A video file and what it holds. */
export interface Source extends SourceState {
  /** SHA-256 of the whole file. */
  sha256: string;
}

/**
 * What the video files of a store hold. A file is read to find out once; as long as its size and date stay, the answer
 * is taken from a journal in the store's folder.
 *
 * The journal is only ever appended to, one record at a time, so several processes can share it and a kill costs at
 * most its last record. Later records of a path replace earlier ones.
 */
export class SourceRegistry {
  readonly #file: string;
  readonly #known = new Map<string, Source>();
  readonly #outdated = new Set<string>();

  private constructor(file: string) {
    this.#file = file;
  }

  /** Reads the journal of the store in `folder`. */
  static async load(folder: string): Promise<SourceRegistry> {
    const registry = new SourceRegistry(join(folder, 'sources.jsonl'));
    const text = await readFile(registry.#file, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      const source = parseRecord(line);
      if (source !== null) registry.#remember(source);
    }
    return registry;
  }

  /**
   * The file as it is now.
   *
   * Throws {@link VideoError} as {@link sizeOfReadableFile}.
   */
  async identify(path: string, { signal, record }: { signal?: AbortSignal; record: boolean }): Promise<Source> {
    const state = await currentState(path);
    const known = this.#known.get(state.path);
    if (known !== undefined && isSameState(known, state)) return known;
    const { sha256 } = await hashFile(state.path, signal);
    const source = { ...state, sha256 };
    this.#remember(source);
    // The line break in front ends what a killed process may have left unfinished.
    if (record) await appendFile(this.#file, `\n${JSON.stringify(source)}\n`);
    return source;
  }

  /** Files that hold this, as far as is known. */
  pathsOf(sha256: string): string[] {
    return [...this.#known.values()].filter((source) => source.sha256 === sha256).map(({ path }) => path);
  }

  /** Contents that a file once had, and that no file has any more as far as is known. */
  get outdated(): Set<string> {
    const current = new Set([...this.#known.values()].map(({ sha256 }) => sha256));
    return new Set([...this.#outdated].filter((sha256) => !current.has(sha256)));
  }

  #remember(source: Source): void {
    const before = this.#known.get(source.path);
    if (before !== undefined && before.sha256 !== source.sha256) this.#outdated.add(before.sha256);
    this.#known.set(source.path, source);
  }
}

/** Size and date of a video file. Throws {@link VideoError} as {@link sizeOfReadableFile}. */
export async function currentState(path: string): Promise<SourceState> {
  const absolute = resolve(path);
  const bytes = await sizeOfReadableFile(absolute);
  return { path: absolute, bytes, modifiedMs: (await stat(absolute)).mtimeMs };
}

/** Whether a file has not been touched in between. */
export function isSameState(one: SourceState, other: SourceState): boolean {
  return one.path === other.path && one.bytes === other.bytes && one.modifiedMs === other.modifiedMs;
}

function parseRecord(line: string): Source | null {
  try {
    const { path, bytes, modifiedMs, sha256 } = JSON.parse(line) as Partial<Source>;
    const isWhole = path !== undefined && bytes !== undefined && modifiedMs !== undefined && sha256 !== undefined;
    return isWhole ? { path, bytes, modifiedMs, sha256 } : null;
  } catch {
    return null;
  }
}
