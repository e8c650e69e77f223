import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isVideo } from '../folders.js';
import type { ManifestEntry } from '../manifest.js';
import { MissingFiles, type ReadOptions, type Source } from './dataset.js';
import { Disk } from './disk.js';
import { describeFrames } from './frame-files.js';

/** Turns the videos that lists name into entries: those on the disk, or all of them when the caller wants that. */
export class ListedVideos {
  readonly entries: ManifestEntry[] = [];
  readonly missing = new MissingFiles();
  readonly #disk: Disk;
  readonly #keepMissing: boolean;

  /** @param root the folder of the videos, which the names are relative to */
  constructor(root: string, { missing = 'leave-out' }: ReadOptions) {
    this.#disk = new Disk(root);
    this.#keepMissing = missing === 'keep';
  }

  /**
   * Adds one video.
   *
   * @param names where it may be below the root, the likeliest first, with or without extension; a folder of images
   *   counts as a video
   * @returns the entry, or `null` when it is not on the disk and was left out
   */
  add(names: readonly string[], facts: Omit<ManifestEntry, 'id' | 'path'>): ManifestEntry | null {
    const found = this.#find(names);
    if (found === null) {
      this.missing.add(names[0]!);
      if (!this.#keepMissing) return null;
    }
    const name = found ?? names[0]!;
    const images = found === null || isVideo(name) ? [] : this.#disk.images(name);
    const entry: ManifestEntry = { id: name, path: this.#disk.path(name), ...facts };
    if (images.length > 0) entry.frames = describeFrames(images);
    this.entries.push(entry);
    return entry;
  }

  #find(names: readonly string[]): string | null {
    for (const name of names) {
      const found = this.#disk.findVideo(name);
      if (found !== null) return found;
    }
    return null;
  }
}

/**
 * The folder that holds a data set's videos: the one the user names, else the first of the usual ones that is there,
 * else the source itself.
 */
export function videoRoot(source: Source, { videos }: ReadOptions, usual: readonly string[]): string {
  if (videos !== undefined) {
    return videos;
  }
  const base = source.kind === 'file' ? join(source.path, '..') : source.path;
  return usual.map((name) => join(base, name)).find((folder) => existsSync(folder)) ?? base;
}
