import type { SourceVideo } from '@chronotope/video';
import { isImage } from './folders.js';
import { framePaths, type ManifestEntry } from './manifest.js';

/** Frames a second of a folder of images for which nobody says it. */
export const IMAGE_FRAME_RATE = 25;

/** Where the frames of an entry come from: a file, a part of one, a file in an archive, or images (one image is a sequence of one). */
export function sourceVideo(entry: ManifestEntry): SourceVideo {
  const { id, path, clip, archive, frames, imageFps: fps = IMAGE_FRAME_RATE } = entry;
  // FFmpeg would take the number in a name such as 0001.jpg for the first of a sequence.
  if (frames === undefined && archive === undefined && isImage(path))
    return { id, path, images: { files: [path], fps } };
  if (frames === undefined) return { id, path, clip, member: archive };
  return { id, path, images: { files: framePaths(entry), fps } };
}
