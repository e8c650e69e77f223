import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { systemErrorCode, VideoError } from './errors.js';
import { type FrameStoreSettings, findDamage, listEntries, pixelFile, type StoreEntry } from './store-entry.js';

/** One video of a frame store. */
export interface StoredVideo {
  id: string;
  /** Absolute path of the source video. */
  source: string;
  /** Absolute path of the raw pixels, uint8 R,G,B, `[frames, height, width, 3]`. */
  file: string;
  frames: number;
  height: number;
  width: number;
  /** Average frames per second of the stored frames. */
  frameRate: number;
  /** Presentation time of each frame, seconds. */
  timestamps: number[];
  /** What was odd about the source though it could be used. */
  warnings: string[];
}

/** A video of a frame store whose pixels are not what was stored. */
export interface DamagedVideo {
  id: string;
  file: string;
  reason: string;
}

/** All frames of a set of videos as raw pixels in one folder, made by `buildFrameStore`. */
export class FrameStore {
  /** Absolute path of the folder. */
  readonly dir: string;
  readonly #entries: Map<string, { key: string; entry: StoreEntry }>;

  private constructor(dir: string, entries: Map<string, { key: string; entry: StoreEntry }>) {
    this.dir = dir;
    this.#entries = entries;
  }

  /**
   * Opens the store in `dir` as it is now. A store built with several settings needs `settings` to say which are meant.
   *
   * Throws {@link VideoError}: `not-found`, `not-a-file` (no folder), `ambiguous-store`.
   */
  static async open(dir: string, settings?: Partial<FrameStoreSettings>): Promise<FrameStore> {
    const folder = resolve(dir);
    await requireFolder(folder);
    const chosen = [...(await listEntries(folder))].filter(([, entry]) => matches(entry.settings, settings));
    const kinds = new Set(chosen.map(([, { settings: s }]) => JSON.stringify([s.shortSide, s.fps, s.maxFrames])));
    if (kinds.size > 1) {
      throw new VideoError({
        code: 'ambiguous-store',
        path: folder,
        reason: `The frame store holds videos of ${kinds.size} settings (short side, fps, most frames: ${[...kinds].join(', ')}).`,
        hint: 'Open it with the settings you mean, or use one folder for each.',
      });
    }
    // A build that was killed can leave the entry of a file's earlier state behind; the latest state wins.
    chosen.sort(([, a], [, b]) => a.source.modifiedMs - b.source.modifiedMs);
    return new FrameStore(folder, new Map(chosen.map(([key, entry]) => [entry.id, { key, entry }])));
  }

  /** Ids of all videos, in alphabetical order. */
  get ids(): string[] {
    return [...this.#entries.keys()].sort();
  }

  /** The video with this id, or undefined. */
  get(id: string): StoredVideo | undefined {
    const found = this.#entries.get(id);
    if (found === undefined) return undefined;
    const { frames, height, width, frameRate, timestamps, warnings, source } = found.entry;
    const file = pixelFile(this.dir, found.key);
    return { id, source: source.path, file, frames, height, width, frameRate, timestamps, warnings };
  }

  /**
   * Reads all pixels and compares their checksums. `buildFrameStore` with `verify: 'checksum'` rebuilds what is damaged.
   *
   * Throws {@link VideoError} `aborted`.
   */
  async verify({ signal }: { signal?: AbortSignal } = {}): Promise<DamagedVideo[]> {
    const damaged: DamagedVideo[] = [];
    for (const id of this.ids) {
      const { key, entry } = this.#entries.get(id)!;
      if (signal?.aborted) {
        throw new VideoError({ code: 'aborted', path: this.dir, reason: 'Stopped on request.', hint: 'Verify again.' });
      }
      const reason = await findDamage(this.dir, key, entry);
      if (reason !== null) damaged.push({ id, file: pixelFile(this.dir, key), reason });
    }
    return damaged;
  }
}

function matches(settings: FrameStoreSettings, wanted: Partial<FrameStoreSettings> = {}): boolean {
  return (Object.keys(wanted) as (keyof FrameStoreSettings)[]).every(
    (name) => wanted[name] === undefined || wanted[name] === settings[name],
  );
}

async function requireFolder(folder: string): Promise<void> {
  try {
    await readdir(folder);
  } catch (error) {
    const missing = systemErrorCode(error) === 'ENOENT';
    throw new VideoError({
      code: missing ? 'not-found' : 'not-a-file',
      path: folder,
      reason: missing ? 'There is no such frame store.' : 'The frame store cannot be opened.',
      hint: 'Build it first with buildFrameStore.',
      cause: error,
    });
  }
}
