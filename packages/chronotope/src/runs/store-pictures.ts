import path from 'node:path';
import { buildPictureStore } from '@chronotope/video';
import type { StoredVideo } from '../data/clip-reader.js';
import { isImage } from '../data/folders.js';
import { framePaths, type ManifestEntry } from '../data/manifest.js';
import { interrupted } from '../training/fit.js';
import type { Progress } from '../training/progress.js';

/** Pictures that are ready, and the videos that were left out. */
export interface PreparedPictures {
  store: { get(id: string): StoredVideo | null };
  excluded: { id: string; reason: string }[];
}

/** Whether an entry lies on the disk as pictures: frames of a video, or a single image. */
export function isPictures({ frames, path: file }: ManifestEntry): boolean {
  return frames !== undefined || isImage(file);
}

/**
 * Makes the pictures of entries ready for training, in a folder `pictures/` of the frame store.
 *
 * @param entries all of them must be pictures
 * @throws ChronotopeError `interrupted`; VideoError `disk-full`, `unwritable`
 */
export async function storePictures(
  entries: readonly ManifestEntry[],
  folder: string,
  { shortSide, progress, signal }: { shortSide: number; progress: Progress; signal?: AbortSignal },
): Promise<PreparedPictures> {
  const task = progress.begin('reading pictures', entries.length, 'videos');
  const videos = entries.map((entry) => {
    const frames = framePaths(entry);
    return { id: entry.id, files: frames.length > 0 ? frames : [entry.path] };
  });
  const { store, stored, reused, failed } = await buildPictureStore(path.join(folder, 'pictures'), videos, {
    shortSide,
    signal,
    onProgress: (done) => task.update(done),
  }).catch((error: unknown) => {
    throw signal?.aborted ? interrupted() : error;
  });
  task.end(`${stored} read, ${reused} known, ${failed.length} left out`);
  for (const { id, reason } of failed) progress.note(`  left out: ${id}: ${reason}`);
  return { store, excluded: failed };
}
