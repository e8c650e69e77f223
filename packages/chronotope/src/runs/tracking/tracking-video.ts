import { encode, type Picture, readImages } from '@chronotope/video';
import type { Box } from '../../data/manifest.js';
import { BOX_COLOURS, drawBox } from '../../explain/draw-box.js';

/** A picture with the boxes to draw into it. */
export interface BoxedPicture {
  picture: Picture;
  tracked: Box;
  truth?: Box;
}

/** How long a frame of an image sequence is shown; benchmarks do not say at what rate theirs were taken. */
const SEQUENCE_FPS = 25;

/**
 * Writes pictures of one size with the tracked box in red and the true one in green as a video. An odd row or column at the
 * border, which H.264 cannot have, is left out.
 *
 * @throws VideoError of `encode`
 */
export async function writeBoxedVideo(
  file: string,
  boxed: AsyncIterable<BoxedPicture> | Iterable<BoxedPicture>,
  options: { height: number; width: number; fps: number; signal?: AbortSignal },
): Promise<void> {
  const [height, width] = [even(options.height), even(options.width)];
  await encode(drawn(boxed, height, width), file, { ...options, height, width });
}

/** Writes a tracked image sequence as a video. */
export async function writeSequenceVideo(
  file: string,
  sequence: { frames: readonly string[]; tracked: readonly Box[]; truth: readonly Box[] },
  options: { height: number; width: number; signal?: AbortSignal },
): Promise<void> {
  function* boxed(): Generator<BoxedPicture> {
    for (const [frame, path] of sequence.frames.entries()) {
      const [picture] = readImages([path]);
      yield { picture: picture!, tracked: sequence.tracked[frame]!, truth: sequence.truth[frame] };
    }
  }
  await writeBoxedVideo(file, boxed(), { ...options, fps: SEQUENCE_FPS });
}

async function* drawn(
  boxed: AsyncIterable<BoxedPicture> | Iterable<BoxedPicture>,
  height: number,
  width: number,
): AsyncGenerator<Uint8Array> {
  for await (const { picture, tracked, truth } of boxed) {
    if (truth) drawBox(picture, truth, BOX_COLOURS.truth);
    drawBox(picture, tracked, BOX_COLOURS.tracked);
    yield cut(picture, height, width);
  }
}

function cut({ data, width: row }: Picture, height: number, width: number): Uint8Array {
  if (row === width) return data.subarray(0, height * width * 3);
  const pixels = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    pixels.set(data.subarray(y * row * 3, (y * row + width) * 3), y * width * 3);
  }
  return pixels;
}

const even = (pixels: number): number => Math.max(2, pixels - (pixels % 2));
