import { createHash } from 'node:crypto';
import { appendFile, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { sizeOfReadableFile, type VideoInfo } from './probe.js';
import { hashOfPart, isWholeFile, partOf, type SourceVideo } from './source-video.js';
import { hashFile } from './store-entry.js';

/** A video at one moment. */
export interface SourceState {
  /** Absolute path of the file, or of the folder of images. */
  path: string;
  /** Which part of it is meant, as `partOf` says it. */
  part: string;
  /** Of the whole file, or of all images. */
  bytes: number;
  /** Time of the last change, milliseconds since 1970. */
  modifiedMs: number;
}

/** A video and what it holds. */
export interface Source extends SourceState {
  /** SHA-256 of what decides its frames: the file, and which part of it is meant; or all images. */
  sha256: string;
}

/** What was found out about a video file before, and when: it holds as long as size and time are the same. */
export interface KnownFile {
  bytes: number;
  /** Time of the last change, milliseconds since 1970. */
  modifiedMs: number;
  /** SHA-256 of the contents, in hexadecimal. */
  sha256: string;
  info: VideoInfo;
}

/** How {@link SourceRegistry.identify} finds out what a video holds. */
export interface IdentifyOptions {
  signal?: AbortSignal;
  /** Whether to write down what was found out. */
  record: boolean;
  /** What is known from elsewhere of the file at an absolute path. */
  known?: (path: string) => KnownFile | null;
}

/**
 * What the videos of a store hold. A file is read to find out once; as long as its size and date stay, the answer
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
   * The video as it is now.
   *
   * Throws {@link VideoError} as {@link sizeOfReadableFile}.
   */
  async identify(video: SourceVideo, options: IdentifyOptions): Promise<Source> {
    const { signal, record } = options;
    const state = await currentState(video);
    const known = this.#known.get(nameOf(state));
    if (known !== undefined && isSameState(known, state)) return known;
    const { clip, ...whole } = video;
    const elsewhere = isWholeFile(video) ? knownFile(state, options.known) : null;
    const sha256 =
      elsewhere?.sha256 ??
      (clip === undefined
        ? await hashSource(whole, signal)
        : hashOfPart((await this.identify(whole, options)).sha256, clip));
    const source = { ...state, sha256 };
    this.#remember(source);
    // The line break in front ends what a killed process may have left unfinished.
    if (record) await appendFile(this.#file, `\n${JSON.stringify(source)}\n`);
    return source;
  }

  /** Files, or folders of images, that hold this, as far as is known. */
  pathsOf(sha256: string): string[] {
    return [...this.#known.values()].filter((source) => source.sha256 === sha256).map(({ path }) => path);
  }

  /** Contents that a file once had, and that no file has any more as far as is known. */
  get outdated(): Set<string> {
    const current = new Set([...this.#known.values()].map(({ sha256 }) => sha256));
    return new Set([...this.#outdated].filter((sha256) => !current.has(sha256)));
  }

  #remember(source: Source): void {
    const before = this.#known.get(nameOf(source));
    if (before !== undefined && before.sha256 !== source.sha256) this.#outdated.add(before.sha256);
    this.#known.set(nameOf(source), source);
  }
}

/** What is known of a file, if it has not been changed since. */
export function knownFile(
  { path, bytes, modifiedMs }: SourceState,
  known: ((path: string) => KnownFile | null) | undefined,
): KnownFile | null {
  const found = known?.(path) ?? null;
  return found?.bytes === bytes && found.modifiedMs === modifiedMs ? found : null;
}

/** Size and date of a video. Throws {@link VideoError} as {@link sizeOfReadableFile}. */
export async function currentState(video: SourceVideo): Promise<SourceState> {
  const state = { path: resolve(video.path), part: partOf(video), bytes: 0, modifiedMs: 0 };
  for (const file of video.images?.files ?? [state.path]) {
    state.bytes += await sizeOfReadableFile(file);
    state.modifiedMs = Math.max(state.modifiedMs, (await stat(file)).mtimeMs);
  }
  return state;
}

/** Whether a file has not been touched in between. */
export function isSameState(one: SourceState, other: SourceState): boolean {
  return nameOf(one) === nameOf(other) && one.bytes === other.bytes && one.modifiedMs === other.modifiedMs;
}

const nameOf = ({ path, part }: SourceState): string => `${path}\n${part}`;

/** SHA-256, in hexadecimal, of a whole file, of a file in an archive, or of images and their rate; a `clip` counts for nothing. */
export async function hashSource({ path, member, images }: SourceVideo, signal?: AbortSignal): Promise<string> {
  if (images === undefined) return (await hashFile(path, { signal, range: member })).sha256;
  const hash = createHash('sha256').update(`images at ${images.fps} a second\n`);
  for (const file of images.files) hash.update((await hashFile(file, { signal })).sha256);
  return hash.digest('hex');
}

function parseRecord(line: string): Source | null {
  try {
    const { path, part = '', bytes, modifiedMs, sha256 } = JSON.parse(line) as Partial<Source>;
    const isWhole = path !== undefined && bytes !== undefined && modifiedMs !== undefined && sha256 !== undefined;
    return isWhole ? { path, part, bytes, modifiedMs, sha256 } : null;
  } catch {
    return null;
  }
}
