import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from './errors.js';

/** How frames are kept: `raw` pixels, to be memory-mapped, or one `jpeg` picture a frame, about 9 times smaller. */
export type StoreFormat = 'raw' | 'jpeg';

/** Settings that decide which pixels a frame store holds. */
export interface FrameStoreSettings {
  /** Pixels of the shorter side. */
  shortSide: number;
  /** Frames per second; null = every frame of the file. */
  fps: number | null;
  /** Most frames of a video; null = all. */
  maxFrames: number | null;
}

/** What is written beside the frames of one video. */
export interface StoreEntry {
  version: typeof entryVersion;
  format: StoreFormat;
  settings: FrameStoreSettings;
  /** SHA-256 of what the video holds. */
  source: string;
  frames: number;
  height: number;
  width: number;
  /** Average frames per second of the stored frames. */
  frameRate: number;
  /** Presentation time of each frame, seconds. */
  timestamps: number[];
  /** What was odd about the file though it could be used. */
  warnings: string[];
  /** Bytes of each frame's picture, in the order they lie in the file; empty for raw pixels. */
  pictureBytes: number[];
  /** SHA-256 of the file of frames. */
  sha256: string;
}

const entryVersion = 'chronotope-frames-2';
/** Pictures written by another encoder or quality must not pass for these. */
const encodings: Record<StoreFormat, string> = { raw: 'rgb24', jpeg: 'jpeg-90-444' };
const extensions: Record<StoreFormat, string> = { raw: 'rgb', jpeg: 'jpegs' };

/**
 * Name, without extension, of the two files of a video. It depends on what the video holds and not on its name or date,
 * so a renamed or copied video has its frames already.
 *
 * @param source SHA-256 of what the video holds
 */
export function entryKey(source: string, format: StoreFormat, settings: FrameStoreSettings): string {
  const { shortSide, fps, maxFrames } = settings;
  const identity = [entryVersion, source, encodings[format], shortSide, fps, maxFrames];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32);
}

/** File with the frames of an entry: uint8 R,G,B, `[T, H, W, 3]`, or JPEG pictures one after the other. */
export function framesFile(folder: string, key: string, format: StoreFormat): string {
  return join(folder, `${key}.${extensions[format]}`);
}

/** File with the {@link StoreEntry}. It is written after the frames, so where it exists they are complete. */
export function entryFile(folder: string, key: string): string {
  return join(folder, `${key}.json`);
}

/** The text of an entry's file. */
export function serialiseEntry(entry: Omit<StoreEntry, 'version'>): string {
  return `${JSON.stringify({ version: entryVersion, ...entry })}\n`;
}

/** Bytes of an entry's file of frames. */
export function framesBytes({ format, frames, height, width, pictureBytes }: StoreEntry): number {
  if (format === 'raw') return frames * height * width * 3;
  return pictureBytes.reduce((sum, bytes) => sum + bytes, 0);
}

/** Reads an entry; null where it is missing, not ours, or its frames are missing or of the wrong length. */
export async function readEntry(folder: string, key: string): Promise<StoreEntry | null> {
  const entry = await readEntryText(folder, key);
  if (entry === null) return null;
  const found = await stat(framesFile(folder, key, entry.format)).catch(() => null);
  return found?.size === framesBytes(entry) ? entry : null;
}

/** All entries of a store by key, whether or not their frames are intact. Other and damaged files are left out. */
export async function* listEntries(folder: string): AsyncGenerator<[key: string, entry: StoreEntry]> {
  for (const name of await readdir(folder)) {
    const key = /^([0-9a-f]{32})\.json$/.exec(name)?.[1];
    const entry = key === undefined ? null : await readEntryText(folder, key);
    if (key !== undefined && entry !== null) yield [key, entry];
  }
}

/** Why the frames of an entry are not what was written, or null when they are. */
export async function findDamage(folder: string, key: string, entry: StoreEntry): Promise<string | null> {
  const expected = framesBytes(entry);
  try {
    const { sha256, bytes } = await hashFile(framesFile(folder, key, entry.format));
    if (bytes !== expected) return `The frames have ${bytes} bytes instead of ${expected}.`;
    return sha256 === entry.sha256 ? null : 'The frames have changed since they were stored.';
  } catch (error) {
    return systemErrorCode(error) === 'ENOENT' ? 'The frames are missing.' : `The frames cannot be read: ${error}.`;
  }
}

/** SHA-256 and length of a file, or of a range of its bytes. */
export async function hashFile(
  path: string,
  { signal, range }: { signal?: AbortSignal; range?: { offset: number; size: number } } = {},
): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const part = range && { start: range.offset, end: range.offset + range.size - 1 };
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal, ...part })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Reads an entry, whether or not its frames are intact; null where it is missing or not ours. */
export async function readEntryText(folder: string, key: string): Promise<StoreEntry | null> {
  const text = await readFile(entryFile(folder, key), 'utf8').catch(() => '');
  try {
    const entry = JSON.parse(text) as Partial<StoreEntry>;
    return entry.version === entryVersion ? (entry as StoreEntry) : null;
  } catch {
    return null;
  }
}
