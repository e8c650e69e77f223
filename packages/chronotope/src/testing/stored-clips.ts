import { join } from 'node:path';
import type { StoredVideo } from '../data/clip-reader.js';
import type { ManifestEntry } from '../data/manifest.js';
import type { ClipGeometry } from '../data/views.js';

/** Clips of 4 frames, every second one. */
export const shortClips = {
  frames: 4,
  stride: 2,
  globalStride: 2,
  localClips: 2,
  virtualFrames: null,
  shortVideo: 'official',
} as const satisfies ClipGeometry;

/**
 * Videos "video 0", "video 1", … of the classes even and odd, whose raw frames are to lie in files `<number>.rgb`; the
 * tests write them.
 *
 * @param sizeOf frames, height and width of each
 */
export function storedClips(
  folder: string,
  count: number,
  sizeOf: (number: number) => Pick<StoredVideo, 'frames' | 'height' | 'width'>,
): { store: Map<string, StoredVideo>; entries: ManifestEntry[] } {
  const store = new Map<string, StoredVideo>();
  const entries = Array.from({ length: count }, (_, number): ManifestEntry => {
    const id = `video ${number}`;
    store.set(id, { file: join(folder, `${number}.rgb`), ...sizeOf(number) });
    return { id, path: id, label: number % 2 === 0 ? 'even' : 'odd', split: 'train' };
  });
  return { store, entries };
}
