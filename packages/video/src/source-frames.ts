import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { frames, type VideoFrame } from './decode.js';
import { estimateFrames, scaleToShortSide, targetSize } from './decode-plan.js';
import { VideoError } from './errors.js';
import { countImageFrames, imageFrames, imageSize } from './image-frames.js';
import { probe, type VideoInfo } from './probe.js';
import { type ArchiveMember, clipSelection, type SourceVideo } from './source-video.js';
import type { FrameStoreSettings } from './store-entry.js';
import { uniqueSuffix } from './temporary-files.js';

/** What is known of a video before it is decoded, for a frame store with certain settings. */
export interface SourceHeader {
  /** Size of the stored frames in pixels. */
  width: number;
  height: number;
  /** How many frames will be stored, as far as the header tells. */
  frames: number;
  /** Frames a second. */
  frameRate: number;
  /** Header of the file; null for images. */
  info: VideoInfo | null;
}

/** How a source is read. */
export interface SourceOptions {
  settings: FrameStoreSettings;
  /** Where a file from an archive may be put for as long as it is read. */
  folder: string;
  signal?: AbortSignal;
  timeoutMs?: number;
}

/**
 * Reads the header of a video, or of the first image of a sequence.
 *
 * @param known the header of the file, where it was read before
 *
 * Throws {@link VideoError} as `probe` and `imageSize`.
 */
export function readHeader(
  video: SourceVideo,
  options: SourceOptions,
  known: VideoInfo | null = null,
): Promise<SourceHeader> {
  const { settings, signal } = options;
  return withFile(video, options, async (file) => {
    const { shortSide, maxFrames } = selectionOf(settings);
    if (video.images !== undefined) {
      const size = scaleToShortSide(await imageSize(video.images.files[0]!), shortSide);
      const rate = settings.fps ?? video.images.fps;
      return { ...size, frames: countImageFrames(video.images, selectionOf(settings)), frameRate: rate, info: null };
    }
    const info = known ?? (await probe(file, { signal }));
    const selection = clipSelection(video.clip, info, selectionOf(settings));
    const count = Math.min(estimateFrames(info, selection), maxFrames ?? Infinity);
    const frameRate = settings.fps ?? info.averageFrameRate;
    return { ...targetSize(info, { shortSide }), frames: count, frameRate, info };
  });
}

/**
 * Gives the frames of a video, in the size of the store, to `use`.
 *
 * @param header what {@link readHeader} found; read anew if it is not known
 *
 * Throws {@link VideoError} as `frames` and `imageFrames`, with the position where decoding ended.
 */
export function withSourceFrames<T>(
  video: SourceVideo,
  known: SourceHeader | null,
  options: SourceOptions,
  use: (source: AsyncGenerator<VideoFrame, { warnings: string[] }, undefined>, header: SourceHeader) => Promise<T>,
): Promise<T> {
  const { settings, signal, timeoutMs } = options;
  return withFile(video, options, async (file) => {
    const plain = { ...video, path: file, member: undefined };
    const header = known ?? (await readHeader(plain, options));
    const { width, height, info } = header;
    if (video.images !== undefined) {
      return use(imageFrames(video.images, { ...selectionOf(settings), width, height, signal }), header);
    }
    // The header of a file from an archive was read from another copy of it.
    const own = { ...info!, path: file };
    const selection = clipSelection(video.clip, own, selectionOf(settings));
    const { shortSide } = settings;
    return use(frames(file, { ...selection, shortSide, info: own, signal, timeoutMs, threads: 1 }), header);
  });
}

function selectionOf({ shortSide, fps, maxFrames }: FrameStoreSettings) {
  return { shortSide, fps: fps ?? undefined, maxFrames: maxFrames ?? undefined };
}

/** Gives the path of the video file to `use`; one in an archive is copied out of it first, and removed afterwards. */
async function withFile<T>(
  { path, member }: SourceVideo,
  { folder, signal }: SourceOptions,
  use: (file: string) => Promise<T>,
): Promise<T> {
  if (member === undefined) return use(path);
  const file = join(folder, `member.${uniqueSuffix()}.tmp`);
  try {
    await copyMember(path, member, file, signal);
    return await use(file);
  } catch (error) {
    throw error instanceof VideoError && error.path === file ? withPath(error, `${path}, ${member.name}`) : error;
  } finally {
    await rm(file, { force: true });
  }
}

/** Copies a file out of an archive that is not compressed. */
export async function copyMember(
  archive: string,
  { offset, size }: ArchiveMember,
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  const bytes = createReadStream(archive, { start: offset, end: offset + size - 1 });
  await pipeline(bytes, createWriteStream(file), { signal });
}

function withPath({ code, reason, hint, position, cause }: VideoError, path: string): VideoError {
  return new VideoError({ code, path, reason, hint, position: position ?? undefined, cause });
}
