import type { Box } from '../../data/manifest.js';

/** numpy's machine epsilon, which keeps the overlap of two empty boxes defined. */
const EPSILON = 2 ** -52;

/** Width and height of an image in pixels. */
export interface ImageSize {
  width: number;
  height: number;
}

/**
 * Intersection over union of two boxes, in [0, 1]; 0 for two empty ones. Rounding can give a little more than 1, which
 * would count at the threshold 1, so the value is cut off there.
 */
export function iou(a: Box, b: Box): number {
  const width = Math.max(0, Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]));
  const intersection = width * height;
  const union = a[2] * a[3] + b[2] * b[3] - intersection;
  return Math.min(1, intersection / (union + EPSILON));
}

/** The part of a box inside an image, as the GOT-10k toolkit cuts it: coordinates from 0 to the width and height. */
export function clipBox([x, y, width, height]: Box, image: ImageSize): Box {
  const left = clamp(x, 0, image.width);
  const top = clamp(y, 0, image.height);
  return [left, top, clamp(width, 0, image.width - left), clamp(height, 0, image.height - top)];
}

/** Distance of the centres of two boxes in pixels; the centre is half of the width less one pixel from the left. */
export function centreError(a: Box, b: Box): number {
  const [x, y] = centreOffset(a, b);
  return Math.hypot(x, y);
}

/** Distance of the centres in units of the true box's width and height. */
export function normalisedCentreError(predicted: Box, truth: Box): number {
  const [x, y] = centreOffset(predicted, truth);
  return Math.hypot(x / Math.max(EPSILON, truth[2]), y / Math.max(EPSILON, truth[3]));
}

function centreOffset(a: Box, b: Box): [x: number, y: number] {
  return [a[0] - b[0] + (a[2] - b[2]) / 2, a[1] - b[1] + (a[3] - b[3]) / 2];
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
