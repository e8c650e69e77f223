import { isImage, walkFiles } from '../folders.js';
import { groupBy } from '../group-by.js';
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
  const images = walkFiles(root, '').filter(isImage);
  return [...groupBy(images, (file) => file.slice(0, Math.max(0, file.lastIndexOf('/'))))].map(([folder, files]) => {
    const parts = folder === '' ? [] : folder.split('/');
    const split = parts.length === 0 ? null : splitNamed(parts[0]!);
    return {
      folder,
      images: files.map((file) => file.slice(file.lastIndexOf('/') + 1)),
      split: split ?? 'train',
      splitFolder: split !== null,
      parts: split === null ? parts : parts.slice(1),
    };
  });
}
