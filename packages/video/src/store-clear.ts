import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { requireStore, type SourceVideo } from './frame-store.js';
import { entryFile, framesBytes, framesFile, listEntries, type StoreEntry, type StoreFormat } from './store-entry.js';
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
  const isMeant = await contentsOf(folder, videos);
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
  return removeEntries(folder, await contentsOf(folder, videos));
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

async function contentsOf(folder: string, videos?: readonly SourceVideo[]): Promise<(entry: StoreEntry) => boolean> {
  if (videos === undefined) return () => true;
  const sources = await SourceRegistry.load(folder);
  const contents = new Set<string>();
  for (const { path } of videos) {
    const source = await sources.identify(path, { record: false }).catch(() => null);
    if (source !== null) contents.add(source.sha256);
  }
  return ({ source }) => contents.has(source);
}
