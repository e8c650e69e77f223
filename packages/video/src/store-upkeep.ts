import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { abortedError } from './children.js';
import { requireStore } from './frame-store.js';
import type { SourceVideo } from './source-video.js';
import {
  entryFile,
  findDamage,
  framesBytes,
  framesFile,
  listEntries,
  readEntryText,
  type StoreEntry,
  type StoreFormat,
} from './store-entry.js';
import { SourceRegistry } from './store-sources.js';

/** Frames of one kind in a store. */
export interface StoreKind {
  format: StoreFormat;
  shortSide: number;
  /** Null for every frame of the file. */
  fps: number | null;
  /** Null for all. */
  maxFrames: number | null;
  /** Different contents; copies of a video count once. */
  videos: number;
  frames: number;
  bytes: number;
}

/**
 * What a store holds: everything, or the frames of `videos`.
 *
 * Throws {@link VideoError}: `not-found`, `not-a-file` (no folder).
 */
export async function describeStore(dir: string, videos?: readonly SourceVideo[]): Promise<StoreKind[]> {
  const folder = resolve(dir);
  await requireStore(folder);
  const { isMeant } = await contentsOf(folder, videos);
  const kinds = new Map<string, StoreKind>();
  for await (const [, entry] of listEntries(folder)) {
    if (!isMeant(entry)) continue;
    const { format, settings } = entry;
    const name = JSON.stringify([format, settings.shortSide, settings.fps, settings.maxFrames]);
    const kind = kinds.get(name) ?? { format, ...settings, videos: 0, frames: 0, bytes: 0 };
    kind.videos += 1;
    kind.frames += entry.frames;
    kind.bytes += framesBytes(entry);
    kinds.set(name, kind);
  }
  return [...kinds.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, kind]) => kind);
}

/** An entry of a store whose frames are not what was stored. */
export interface DamagedEntry {
  /** File of frames. */
  file: string;
  reason: string;
  /** Paths of the videos it was made from, as far as known. */
  sources: string[];
}

/**
 * Reads the frames of everything in a store, or of `videos`, and compares their checksums.
 *
 * Throws {@link VideoError}: `not-found`, `not-a-file` (no folder), `aborted`.
 */
export async function verifyStore(
  dir: string,
  videos?: readonly SourceVideo[],
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<{ checked: number; damaged: DamagedEntry[] }> {
  const { signal, onProgress } = options;
  const folder = resolve(dir);
  await requireStore(folder);
  const { isMeant, registry } = await contentsOf(folder, videos);
  const keys: string[] = [];
  for await (const [key, entry] of listEntries(folder)) if (isMeant(entry)) keys.push(key);
  const damaged: DamagedEntry[] = [];
  for (const [number, key] of keys.entries()) {
    if (signal?.aborted) throw abortedError(folder, signal.reason);
    const entry = await readEntryText(folder, key);
    // Cleared or replaced in the meantime.
    if (entry === null) continue;
    const reason = await findDamage(folder, key, entry);
    if (reason !== null) {
      const file = framesFile(folder, key, entry.format);
      damaged.push({ file, reason, sources: registry.pathsOf(entry.source) });
    }
    onProgress?.(number + 1, keys.length);
  }
  return { checked: keys.length, damaged };
}

/**
 * Removes frames from a store: all, or those of `videos`, in every format and with all settings. Nothing else in the
 * folder is touched.
 *
 * Throws {@link VideoError}: `not-found`, `not-a-file` (no folder).
 */
export async function clearStore(
  dir: string,
  videos?: readonly SourceVideo[],
): Promise<{ removed: number; bytes: number }> {
  const folder = resolve(dir);
  await requireStore(folder);
  const { isMeant } = await contentsOf(folder, videos);
  return removeEntries(folder, isMeant);
}

/** Removes the entries that are meant, with their frames. */
export async function removeEntries(
  folder: string,
  isMeant: (entry: StoreEntry) => boolean,
): Promise<{ removed: number; bytes: number }> {
  let [removed, bytes] = [0, 0];
  for await (const [key, entry] of listEntries(folder)) {
    if (!isMeant(entry)) continue;
    await rm(entryFile(folder, key), { force: true });
    await rm(framesFile(folder, key, entry.format), { force: true });
    removed += 1;
    bytes += framesBytes(entry);
  }
  return { removed, bytes };
}

async function contentsOf(
  folder: string,
  videos?: readonly SourceVideo[],
): Promise<{ registry: SourceRegistry; isMeant: (entry: StoreEntry) => boolean }> {
  const registry = await SourceRegistry.load(folder);
  if (videos === undefined) return { registry, isMeant: () => true };
  const contents = new Set<string>();
  for (const video of videos) {
    const source = await registry.identify(video, { record: false }).catch(() => null);
    if (source !== null) contents.add(source.sha256);
  }
  return { registry, isMeant: ({ source }) => contents.has(source) };
}
