import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from './errors.js';

/** Settings that decide which pixels a frame store holds. */
export interface FrameStoreSettings {
  /** Pixels of the shorter side. */
  shortSide: number;
  /** Frames per second; null = every frame of the file. */
  fps: number | null;
  /** Most frames of a video; null = all. */
  maxFrames: number | null;
}

/** State of a source file by which a change is noticed. */
export interface SourceState {
  /** Absolute path. */
  path: string;
  bytes: number;
  /** Time of the last change, milliseconds since 1970. */
  modifiedMs: number;
}

/** What is written beside the pixels of one video. */
export interface StoreEntry {
  format: typeof entryFormat;
  id: string;
  source: SourceState;
  settings: FrameStoreSettings;
  frames: number;
  height: number;
  width: number;
  /** Average frames per second of the stored frames. */
  frameRate: number;
  /** Presentation time of each frame, seconds. */
  timestamps: number[];
  /** What was odd about the file though it could be used. */
  warnings: string[];
  /** SHA-256 of the pixels. */
  sha256: string;
}

const entryFormat = 'chronotope-frames-1';

/** Name, without extension, of the two files of a video: changes with its id, path, size, time and the settings. */
export function entryKey(id: string, source: SourceState, settings: FrameStoreSettings): string {
  const { shortSide, fps, maxFrames } = settings;
  const identity = [entryFormat, id, source.path, source.bytes, source.modifiedMs, shortSide, fps, maxFrames];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32);
}

/** File with the pixels of an entry, uint8 R,G,B, `[T, H, W, 3]`. */
export function pixelFile(folder: string, key: string): string {
  return join(folder, `${key}.rgb`);
}

/** File with the {@link StoreEntry}. It is written after the pixels, so where it exists they are complete. */
export function entryFile(folder: string, key: string): string {
  return join(folder, `${key}.json`);
}

/** The text of an entry's file. */
export function serialiseEntry(entry: Omit<StoreEntry, 'format'>): string {
  return `${JSON.stringify({ format: entryFormat, ...entry })}\n`;
}

/** Reads an entry; null where it is missing, not ours, or its pixels are missing or of the wrong length. */
export async function readEntry(folder: string, key: string): Promise<StoreEntry | null> {
  const entry = await readEntryText(folder, key);
  if (entry === null) return null;
  const pixels = await stat(pixelFile(folder, key)).catch(() => null);
  return pixels?.size === entry.frames * entry.height * entry.width * 3 ? entry : null;
}

/** All entries of a store by key, whether or not their pixels are intact. Not-ours and damaged entry files are left out. */
export async function listEntries(folder: string): Promise<Map<string, StoreEntry>> {
  const entries = new Map<string, StoreEntry>();
  for (const name of await readdir(folder)) {
    const key = /^([0-9a-f]{32})\.json$/.exec(name)?.[1];
    const entry = key === undefined ? null : await readEntryText(folder, key);
    if (key !== undefined && entry !== null) entries.set(key, entry);
  }
  return entries;
}

/** Why the pixels of an entry are not what was written, or null when they are. */
export async function findDamage(folder: string, key: string, entry: StoreEntry): Promise<string | null> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(pixelFile(folder, key), { highWaterMark: 1 << 20 })) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
  } catch (error) {
    return systemErrorCode(error) === 'ENOENT' ? 'The frames are missing.' : `The frames cannot be read: ${error}.`;
  }
  const expected = entry.frames * entry.height * entry.width * 3;
  if (bytes !== expected) return `The frames have ${bytes} bytes instead of ${expected}.`;
  return hash.digest('hex') === entry.sha256 ? null : 'The frames have changed since they were stored.';
}

async function readEntryText(folder: string, key: string): Promise<StoreEntry | null> {
  const text = await readFile(entryFile(folder, key), 'utf8').catch(() => '');
  try {
    const entry = JSON.parse(text) as Partial<StoreEntry>;
    return entry.format === entryFormat ? (entry as StoreEntry) : null;
  } catch {
    return null;
  }
}
