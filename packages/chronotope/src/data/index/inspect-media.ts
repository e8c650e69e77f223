import { createHash, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { copyMember, partOf, type SourceVideo } from '@chronotope/video';
import type { ManifestEntry } from '../manifest.js';
import { sourceVideo } from '../source-video.js';
import type { Outcome } from './facts.js';
import { type InspectOptions, inspectFiles } from './inspect-file.js';
import { inspectImages } from './inspect-images.js';

/** What an entry of a data set is made of: a video file (whole, whatever part of it is used), a file in an archive, images. */
export interface Medium {
  /** The same for entries that are made of the same. */
  key: string;
  video: SourceVideo;
}

/** Where files from archives may be put for as long as they are inspected. */
export interface MediaOptions extends InspectOptions {
  folder: string;
}

/** The medium of an entry. */
export function mediumOf(entry: ManifestEntry): Medium {
  const { clip: _, ...video } = sourceVideo(entry);
  const part = partOf(video);
  // A hash, because the part may be a list of thousands of images.
  const name = createHash('sha256').update(part).digest('hex').slice(0, 32);
  return { key: part === '' ? video.path : `${video.path}\n${name}`, video };
}

/**
 * Finds out all there is to know of some media, as `inspectFiles` and `inspectImages` do.
 *
 * @returns an outcome for each, in their order
 * @throws VideoError `aborted`, `ffmpeg-missing`
 */
export async function* inspectMedia(media: readonly Medium[], options: MediaOptions): AsyncGenerator<Outcome> {
  const copies: string[] = [];
  const fileOf = async ({ path, member }: SourceVideo): Promise<string> => {
    if (member === undefined) return path;
    const file = join(options.folder, `.member-${randomUUID()}`);
    copies.push(file);
    // What could not be copied is inspected as far as it came.
    await copyMember(path, member, file, options.signal).catch(() => {});
    return file;
  };
  try {
    const paths: string[] = [];
    for (const { video } of media) if (video.images === undefined) paths.push(await fileOf(video));
    const files = inspectFiles(paths, options);
    for (const { video } of media) {
      if (video.images !== undefined) yield await inspectImages(video.images, options.signal);
      else yield (await files.next()).value as Outcome;
    }
  } finally {
    for (const copy of copies) await rm(copy, { force: true });
  }
}
