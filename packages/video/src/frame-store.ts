import { rmSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { abortedError } from './children.js';
import { systemErrorCode, VideoError } from './errors.js';
import { startOnThread } from './picture-thread.js';
import type { SourceVideo } from './source-video.js';
import {
  entryFile,
  type FrameStoreSettings,
  findDamage,
  framesBytes,
  framesFile,
  listEntries,
  readEntry,
  type StoreEntry,
  type StoreFormat,
} from './store-entry.js';
import { SourceRegistry } from './store-sources.js';

/** One video of a frame store. */
export interface StoredVideo {
  id: string;
  /** Absolute path of the source: the video file, its archive, or the folder of its images. */
  source: string;
  format: StoreFormat;
  /** Absolute path of the frames: raw pixels uint8 R,G,B, `[frames, height, width, 3]`, or JPEG pictures. */
  file: string;
  /** For JPEG, where each picture begins in the file and, as the last element, where the last one ends; else null. */
  offsets: Float64Array | null;
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

/** A video of a frame store whose frames are not what was stored. */
export interface DamagedVideo {
  id: string;
  file: string;
  reason: string;
}

/** Which of the frames in a store are meant, where it holds more than one kind. */
export type StoreSelection = Partial<FrameStoreSettings> & { format?: StoreFormat };

/** The frames of a set of videos, made by `buildFrameStore`. */
export class FrameStore {
  /** Absolute path of the folder. */
  readonly dir: string;
  readonly #videos: Map<string, { key: string; entry: StoreEntry; source: SourceVideo; video: StoredVideo }>;

  /** @internal */
  constructor(dir: string, videos: readonly { id: string; source: SourceVideo; key: string; entry: StoreEntry }[]) {
    this.dir = dir;
    this.#videos = new Map(
      videos.map(({ id, source, key, entry }) => [
        id,
        { key, entry, source, video: describe(dir, { id, source: source.path, key, entry }) },
      ]),
    );
  }

  /**
   * Opens the store in `dir` as it is now, for those of `videos` whose frames it holds. A store built with several
   * settings needs `selection` to say which are meant.
   *
   * Throws {@link VideoError}: `not-found`, `not-a-file` (no folder), `ambiguous-store`.
   */
  static async open(dir: string, videos: readonly SourceVideo[], selection: StoreSelection = {}): Promise<FrameStore> {
    const folder = resolve(dir);
    await requireStore(folder);
    const sources = await SourceRegistry.load(folder);
    const keys = new Map<string, string[]>();
    for await (const [key, entry] of listEntries(folder)) {
      if (!matches(entry, selection)) continue;
      keys.set(entry.source, [...(keys.get(entry.source) ?? []), key]);
    }
    const found: { id: string; source: SourceVideo; key: string; entry: StoreEntry }[] = [];
    const kinds = new Set<string>();
    for (const video of videos) {
      const known = await sources.identify(video, { record: false }).catch(() => null);
      for (const key of keys.get(known?.sha256 ?? '') ?? []) {
        const entry = await readEntry(folder, key);
        if (entry === null) continue;
        found.push({ id: video.id, source: { ...video, path: known!.path }, key, entry });
        const { shortSide, fps, maxFrames } = entry.settings;
        kinds.add(JSON.stringify([entry.format, shortSide, fps, maxFrames]));
      }
    }
    if (kinds.size > 1) throw ambiguousStore(folder, kinds);
    return new FrameStore(folder, found);
  }

  /** Ids of all videos, in alphabetical order. */
  get ids(): string[] {
    return [...this.#videos.keys()].sort();
  }

  /** The video with this id, or undefined. */
  get(id: string): StoredVideo | undefined {
    return this.#videos.get(id)?.video;
  }

  /**
   * Decodes a video whose frames were found to be damaged again, and waits for it: the frames are then what they were.
   *
   * Throws {@link VideoError} `damaged-store` when that is not possible: the video is gone or was changed. Then it is
   * not in the store any more, so that the next build decodes it or says why it cannot.
   */
  repair(id: string): void {
    const { key, entry, source, video } = this.#videos.get(id)!;
    const { shortSide, fps, maxFrames } = entry.settings;
    const settings = { shortSide, fps: fps ?? undefined, maxFrames: maxFrames ?? undefined, format: entry.format };
    const { failure } = startOnThread(
      {
        kind: 'rebuild',
        dir: this.dir,
        video: { ...source, id },
        options: { ...settings, verify: 'checksum' },
      },
      { path: video.source, timeoutMs: repairTimeoutMs },
    )();
    // A changed video is stored under another key, and its frames are not those that were asked for.
    if (failure === null && statSync(video.file, { throwIfNoEntry: false })?.size === framesBytes(entry)) return;
    rmSync(entryFile(this.dir, key), { force: true });
    const reason = failure?.reason ?? 'the video has changed since it was stored';
    throw new VideoError({
      code: 'damaged-store',
      path: framesFile(this.dir, key, entry.format),
      reason: `The stored frames are damaged and cannot be made again from ${video.source} (${reason}).`,
      hint: 'Start again: videos that cannot be decoded are left out and listed.',
    });
  }

  /**
   * Reads the frames of all videos and compares their checksums. `buildFrameStore` with `verify: 'checksum'` rebuilds
   * what is damaged.
   *
   * Throws {@link VideoError} `aborted`.
   */
  async verify(
    options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
  ): Promise<DamagedVideo[]> {
    const { signal, onProgress } = options;
    const damaged: DamagedVideo[] = [];
    for (const [number, id] of this.ids.entries()) {
      if (signal?.aborted) throw abortedError(this.dir, signal.reason);
      const { key, entry, video } = this.#videos.get(id)!;
      const reason = await findDamage(this.dir, key, entry);
      if (reason !== null) damaged.push({ id, file: video.file, reason });
      onProgress?.(number + 1, this.#videos.size);
    }
    return damaged;
  }
}

/** Milliseconds that decoding one damaged video again may take. */
const repairTimeoutMs = 600_000;

function describe(
  dir: string,
  { id, source, key, entry }: { id: string; source: string; key: string; entry: StoreEntry },
): StoredVideo {
  const { format, frames, height, width, frameRate, timestamps, warnings } = entry;
  const offsets = format === 'raw' ? null : offsetsOf(entry.pictureBytes);
  const file = framesFile(dir, key, format);
  return { id, source, format, file, offsets, frames, height, width, frameRate, timestamps, warnings };
}

function offsetsOf(pictureBytes: readonly number[]): Float64Array {
  const offsets = new Float64Array(pictureBytes.length + 1);
  for (const [k, bytes] of pictureBytes.entries()) offsets[k + 1] = offsets[k]! + bytes;
  return offsets;
}

/** Whether an entry is one of those that are meant. */
export function matches(entry: StoreEntry, { format, ...settings }: StoreSelection): boolean {
  const wanted = Object.entries(settings) as [keyof FrameStoreSettings, number | null | undefined][];
  return (
    (format === undefined || format === entry.format) &&
    wanted.every(([name, value]) => value === undefined || value === entry.settings[name])
  );
}

/** Throws {@link VideoError} `not-found` or `not-a-file` unless `folder` is one. */
export async function requireStore(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown) => error);
  if (!(found instanceof Error) && (found as { isDirectory(): boolean }).isDirectory()) return;
  const missing = systemErrorCode(found) === 'ENOENT';
  throw new VideoError({
    code: missing ? 'not-found' : 'not-a-file',
    path: folder,
    reason: missing ? 'There is no such frame store.' : 'The frame store cannot be opened.',
    hint: 'Build it first with buildFrameStore, or `chronotope cache build`.',
    cause: found,
  });
}

function ambiguousStore(folder: string, kinds: ReadonlySet<string>): VideoError {
  return new VideoError({
    code: 'ambiguous-store',
    path: folder,
    reason: `The frame store holds these videos in ${kinds.size} ways (format, short side, fps, most frames: ${[...kinds].join(', ')}).`,
    hint: 'Open it with the format and settings you mean, or use one folder for each.',
  });
}
