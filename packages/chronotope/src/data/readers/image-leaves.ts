import { isImage, walkFiles } from '../folders.js';
import type { Split } from '../manifest.js';
import { splitNamed } from './table-row.js';

/** A folder that holds images. */
export interface ImageLeaf {
  /** Path relative to the data folder. */
  folder: string;
  /** Names of the images in it, sorted. */
  images: string[];
  /** From a first folder named train, val or test; `train` without one. */
  split: Split;
  /** Whether there was such a folder. */
  splitFolder: boolean;
  /** The folders below that one. */
  parts: string[];
}

/** All folders with images below a data folder, sorted by path. */
export function imageLeaves(root: string): ImageLeaf[] {
  const byFolder = new Map<string, string[]>();
  for (const file of walkFiles(root, '')) {
    if (!isImage(file)) continue;
    const slash = file.lastIndexOf('/');
    const folder = slash < 0 ? '' : file.slice(0, slash);
    const images = byFolder.get(folder) ?? [];
    images.push(file.slice(slash + 1));
    byFolder.set(folder, images);
  }
  return [...byFolder].map(([folder, images]) => {
    const parts = folder === '' ? [] : folder.split('/');
    const split = parts.length === 0 ? null : splitNamed(parts[0]!);
    return {
      folder,
      images,
      split: split ?? 'train',
      splitFolder: split !== null,
      parts: split === null ? parts : parts.slice(1),
    };
  });
}
