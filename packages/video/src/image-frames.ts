import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { abortedError } from './children.js';
import type { VideoFrame } from './decode.js';
import { systemErrorCode, VideoError } from './errors.js';
import type { ImageSequence } from './source-video.js';

/** Images decoded at the same time. */
const imagesAtOnce = 4;

/** Which frames of a sequence of images, and in which size. */
export interface ImageFramesOptions {
  width: number;
  height: number;
  /** An even frame rate: picture k is the one that is shown at `k / fps`. Default: every image once. */
  fps?: number;
  maxFrames?: number;
  signal?: AbortSignal;
}

/**
 * Width and height of an image as it is displayed, in pixels. Throws {@link VideoError} `not-found`, `unreadable`,
 * `undecodable`.
 */
export async function imageSize(file: string): Promise<{ width: number; height: number }> {
  const { width, height, orientation = 1 } = await attempt(file, 0, async () => sharp(await readFile(file)).metadata());
  // Orientations 5 to 8 of EXIF lie on their side.
  return orientation < 5 ? { width, height } : { width: height, height: width };
}

/** Number of frames that {@link imageFrames} delivers. */
export function countImageFrames(
  { files, fps: own }: ImageSequence,
  { fps, maxFrames = Infinity }: Pick<ImageFramesOptions, 'fps' | 'maxFrames'>,
): number {
  return Math.min(fps === undefined ? files.length : Math.ceil((files.length * fps) / own - 1e-6), maxFrames);
}

/**
 * The frames of a sequence of images: as displayed, 8-bit RGB, all scaled to one size.
 *
 * Throws {@link VideoError} `not-found`, `unreadable` and `undecodable`, naming the image; `aborted`.
 */
export async function* imageFrames(
  sequence: ImageSequence,
  options: ImageFramesOptions,
): AsyncGenerator<VideoFrame, { warnings: string[] }, undefined> {
  const { width, height, fps, signal } = options;
  const rate = fps ?? sequence.fps;
  const shown = (index: number): number =>
    fps === undefined ? index : Math.floor((index * sequence.fps) / fps + 1e-6);
  const count = countImageFrames(sequence, options);
  const pending: Promise<Uint8Array>[] = [];
  for (let index = 0, asked = 0; index < count; index++) {
    for (; asked < count && pending.length < imagesAtOnce; asked++) {
      const image = shown(asked);
      const pixels = decodeImage(sequence.files[image]!, image, { width, height });
      // Its failure is met when its turn comes; until then it must not count as unhandled.
      pixels.catch(() => {});
      pending.push(pixels);
    }
    const data = await pending.shift()!;
    if (signal?.aborted) throw abortedError(sequence.files[0]!, signal.reason);
    yield { data, index, height, width, timestamp: index / rate, pts: null };
  }
  return { warnings: [] };
}

async function decodeImage(file: string, index: number, size: { width: number; height: number }): Promise<Uint8Array> {
  return attempt(file, index, async () => {
    const image = sharp(await readFile(file))
      .rotate()
      .resize({ ...size, fit: 'fill', kernel: 'cubic' });
    return image.removeAlpha().toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer();
  });
}

async function attempt<T>(file: string, frame: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const system = systemErrorCode(cause);
    const code = system === 'ENOENT' ? 'not-found' : system === undefined ? 'undecodable' : 'unreadable';
    throw new VideoError({
      code,
      path: file,
      reason:
        code === 'not-found' ? 'The image is missing.' : `The image cannot be read (${(cause as Error).message}).`,
      hint: 'Replace the image, or leave the video out.',
      position: { frame, seconds: 0 },
      cause,
    });
  }
}
