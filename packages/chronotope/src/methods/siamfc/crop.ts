import { constantPadNd, scope, type Tensor, upsampleBilinear2d } from '@chronotope/torch';
import { type OpenCvInterpolation, resizeLikeOpenCv } from '../../augment/opencv-resize.js';
import { roundHalfToEven } from '../../augment/rounding.js';

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** A square of an image, to be seen at another size. */
export interface SquareCrop {
  /** Middle of the square in pixels; (0, 0) is the middle of the top left pixel. */
  centre: readonly [x: number, y: number];
  /** Side in pixels of the image. */
  side: number;
  /** Pixels of the result. */
  size: number;
  /** What is seen beyond the image; asked for only if something is. */
  padding: () => Colour;
  /** Default: bilinear. */
  interpolation?: OpenCvInterpolation;
}

/**
 * How squares become whole pixels:
 *
 * - `original`, SiamFC's: the side is rounded, what is missing is padded, then all is resized.
 * - `fast`, VINCE's and CCL's: both borders are rounded, the part inside the image is resized, then padded; nothing but
 *   zeros where the square lies outside.
 */
export type CropRule = 'original' | 'fast';

/**
 * Cuts a square out of an image and resizes it, without antialiasing, to whole grey levels.
 *
 * @param image uint8 `[H, W, 3]`
 * @returns float32 `[3, size, size]`, whole values from 0 to 255
 */
export function cropSquare(image: Tensor, crop: SquareCrop, rule: CropRule): Tensor {
  return scope(() => (rule === 'original' ? cropOriginal(image, crop) : cropFast(image, crop)));
}

/**
 * Cuts a square window out of planes as they are, padded where it reaches beyond them.
 *
 * @param image float32 `[3, H, W]`
 * @returns `[3, size, size]`
 */
export function cutWindow(
  image: Tensor,
  { top, left, size, padding }: { top: number; left: number; size: number; padding: () => Colour },
): Tensor {
  const [, height, width] = image.shape as [number, number, number];
  return padded(image, [-left, left + size - width, -top, top + size - height], padding);
}

/** The mean colour of an image uint8 `[H, W, 3]`. */
export function meanColour(image: Tensor): Colour {
  const [red, green, blue] = scope(() => image.mean([0, 1], { dtype: 'float64' }).data()) as Float64Array;
  return [red!, green!, blue!];
}

/** The mean colour of an image, computed when it is asked for. */
export function meanColourOf(image: Tensor): () => Colour {
  let colour: Colour | undefined;
  return () => {
    colour ??= meanColour(image);
    return colour;
  };
}

function cropOriginal(image: Tensor, { centre, side, size, padding, interpolation }: SquareCrop): Tensor {
  const [height, width] = image.shape as [number, number];
  const rounded = roundHalfToEven(side);
  const [left, top] = centre.map((middle) => roundHalfToEven(middle - (rounded - 1) / 2)) as [number, number];
  const inside = insideOf({ left, top, right: left + rounded, bottom: top + rounded }, { width, height });
  const missing = inside === null ? [0, rounded, 0, rounded] : overhang({ left, top, side: rounded }, inside);
  const part = inside === null ? image.narrow(0, 0, 0).narrow(1, 0, 0) : cutOut(image, inside);
  return resized(padded(planes(part), missing, padding), size, size, interpolation);
}

function cropFast(image: Tensor, { centre, side, size, padding, interpolation }: SquareCrop): Tensor {
  const [height, width] = image.shape as [number, number];
  const half = Math.max(side, SMALLEST_SIDE) / 2;
  const [left, top] = centre.map((middle) => roundHalfToEven(middle - half)) as [number, number];
  const [right, bottom] = centre.map((middle) => roundHalfToEven(middle + half)) as [number, number];
  const inside = insideOf({ left, top, right, bottom }, { width, height });
  if (inside === null)
    return planes(image.narrow(0, 0, 1).narrow(1, 0, 1))
      .mul(0)
      .expand([3, size, size])
      .contiguous();
  const columns = Math.max(1, roundHalfToEven((size * (inside.right - inside.left)) / (right - left)));
  const rows = Math.max(1, roundHalfToEven((size * (inside.bottom - inside.top)) / (bottom - top)));
  const part = resized(planes(cutOut(image, inside)), rows, columns, interpolation);
  const before = [inside.left - left, inside.top - top].map((pixels, axis) =>
    Math.trunc((pixels * size) / (axis === 0 ? right - left : bottom - top)),
  ) as [number, number];
  const missing = [before[0], size - columns - before[0], before[1], size - rows - before[1]];
  return padded(part, missing, padding);
}

/** Of the `fast` rule. */
const SMALLEST_SIDE = 2;

interface Borders {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

function insideOf({ left, top, right, bottom }: Borders, image: { width: number; height: number }): Borders | null {
  const inside = {
    left: Math.max(left, 0),
    top: Math.max(top, 0),
    right: Math.min(right, image.width),
    bottom: Math.min(bottom, image.height),
  };
  return inside.right > inside.left && inside.bottom > inside.top ? inside : null;
}

/** Pixels that a square has beyond the part of it inside the image: left, right, top, bottom. */
function overhang({ left, top, side }: { left: number; top: number; side: number }, inside: Borders): number[] {
  return [inside.left - left, left + side - inside.right, inside.top - top, top + side - inside.bottom];
}

function cutOut(image: Tensor, { left, top, right, bottom }: Borders): Tensor {
  return image.narrow(0, top, bottom - top).narrow(1, left, right - left);
}

/** uint8 `[H, W, 3]` to float32 `[3, H, W]`. */
function planes(part: Tensor): Tensor {
  return part.permute([2, 0, 1]).to({ dtype: 'float32' }).contiguous();
}

/** Pads (or, where the number is negative, cuts) left, right, top and bottom with a colour in whole grey levels. */
function padded(part: Tensor, missing: readonly number[], colour: () => Colour): Tensor {
  if (missing.every((pixels) => pixels === 0)) return part;
  const bordered = constantPadNd(part, missing, { value: 0 });
  colour().forEach((value, channel) => {
    const plane = constantPadNd(part.select(0, channel), missing, { value: roundHalfToEven(value) });
    bordered.select(0, channel).copy_(plane);
  });
  return bordered;
}

/** float32 `[3, H, W]` to `[3, height, width]`, rounded to grey levels. */
function resized(part: Tensor, height: number, width: number, interpolation: OpenCvInterpolation = 'linear'): Tensor {
  if (interpolation !== 'linear') return resizeLikeOpenCv(part, height, width, interpolation);
  if (part.shape[1] === height && part.shape[2] === width) return part;
  return upsampleBilinear2d(part.unsqueeze(0), [height, width], false).squeeze(0).round();
}
