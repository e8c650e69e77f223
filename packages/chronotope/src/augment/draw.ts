import type { RandomStream } from '../random.js';
import { type ClipAugmentation, type FrameSize, wholeCanvas, wholeFrame } from './clip-augmentation.js';
import { drawContrastive } from './draw-contrastive.js';
import { drawTimeBalance } from './draw-timebalance.js';
import { cropSide, roundHalfToEven, scaledSize } from './rounding.js';
import type { CentreCrop, ScaledCrop, Transform } from './settings.js';

/**
 * Draws what a transform does to one clip.
 *
 * @param source size of the clip's frames
 * @param size side of the square output in pixels
 * @param random the clip's own stream; the transforms of evaluation draw nothing
 */
export function drawTransform(
  transform: Transform,
  source: FrameSize,
  size: number,
  random: RandomStream,
): ClipAugmentation {
  if ('centreCrop' in transform) return centreCropOf(transform, source, size);
  if ('position' in transform) return scaledCropOf(transform, source, size);
  if ('jitter' in transform) return drawContrastive(transform, source, size, random);
  return drawTimeBalance(transform, source, size, random);
}

/** The crop from the middle of a frame; half pixels round to the even neighbour, as in the official transform. */
export function centreCropOf({ centreCrop }: CentreCrop, source: FrameSize, size: number): ClipAugmentation {
  const height = cropSide(centreCrop, source.height);
  const width = cropSide(centreCrop, source.width);
  return {
    ...untouched(source, size),
    crop: {
      top: roundHalfToEven((source.height - height) / 2),
      left: roundHalfToEven((source.width - width) / 2),
      height,
      width,
    },
  };
}

/** The square that a {@link ScaledCrop} takes from the scaled frame. */
export function scaledCropOf(
  { shortSide, position, interpolation, normalise }: ScaledCrop,
  source: FrameSize,
  size: number,
): ClipAugmentation {
  const scaled = scaledSize(source, Math.max(size, Math.round(shortSide * size)));
  const room = { top: scaled.height - size, left: scaled.width - size };
  const middle = position === 'centre' ? roundHalfToEven : Math.ceil;
  const offset = { top: middle(room.top / 2), left: middle(room.left / 2) };
  if (position === 'first' || position === 'last') {
    const longSide = scaled.height > scaled.width ? 'top' : 'left';
    offset[longSide] = position === 'first' ? 0 : room[longSide];
  }
  return { ...untouched(source, size), canvas: { ...offset, ...scaled }, interpolation, normalise };
}

/** The whole frame, scaled to the output (and squashed to a square), and nothing else. */
export function untouched(source: FrameSize, size: number): ClipAugmentation {
  return {
    crop: wholeFrame(source),
    canvas: wholeCanvas(size),
    interpolation: 'bilinear',
    flip: false,
    steps: [],
    clamp: true,
    luma: 'rec601',
    normalise: null,
  };
}
