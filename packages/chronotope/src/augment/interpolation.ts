import type { Interpolation } from './settings.js';

/** A stretch of one axis, scaled to `canvas` pixels, of which the output shows those from `offset` on. */
export interface AxisCrop {
  start: number;
  length: number;
  canvas: number;
  offset: number;
  /** Whether the output is mirrored. */
  reversed: boolean;
}

/**
 * The matrices that crop and scale one axis, one for each clip. What a crop has beyond the end of the source counts as
 * black; elsewhere every row sums to 1.
 *
 * @param sourceSize pixels of the source axis
 * @param size pixels of the output axis
 * @returns [clips, size, sourceSize], row-major
 */
export function interpolationMatrices(
  crops: readonly AxisCrop[],
  sourceSize: number,
  size: number,
  interpolation: Interpolation,
): Float32Array {
  const addWeights = WEIGHTS[interpolation];
  const matrices = new Float32Array(crops.length * size * sourceSize);
  crops.forEach(({ start, length, canvas, offset, reversed }, clip) => {
    const scale = length / canvas;
    for (let i = 0; i < size; i++) {
      const first = (clip * size + (reversed ? size - 1 - i : i)) * sourceSize;
      const row = matrices.subarray(first + start, first + sourceSize);
      addWeights(row, offset + i, scale, length);
    }
  });
  return matrices;
}

/**
 * Adds the weights of one output pixel to a row of a matrix that begins with the first pixel of the crop and may end
 * before its last; `scale` is source pixels per output pixel.
 */
type AddWeights = (row: Float32Array, output: number, scale: number, length: number) => void;

const WEIGHTS: Record<Interpolation, AddWeights> = {
  bilinear: antiAliased(triangle, 1),
  bicubic: antiAliased((x) => cubic(x, -0.5), 2),
  'bilinear-aliased': (row, output, scale, length) => {
    const centre = Math.max(0, (output + 0.5) * scale - 0.5);
    const first = Math.floor(centre);
    for (let k = first; k <= first + 1; k++) add(row, Math.min(k, length - 1), triangle(k - centre));
  },
  'bicubic-aliased': (row, output, scale, length) => {
    const centre = (output + 0.5) * scale - 0.5;
    const first = Math.floor(centre);
    for (let k = first - 1; k <= first + 2; k++) {
      add(row, Math.min(Math.max(k, 0), length - 1), cubic(k - centre, -0.75));
    }
  },
};

/** What lies beyond the end of the row is black, so its weight counts for nothing. */
function add(row: Float32Array, pixel: number, weight: number): void {
  if (pixel < row.length) row[pixel]! += weight;
}

/**
 * Pillow's resampling: the filter is as wide as one source pixel when enlarging and as one output pixel when reducing,
 * cut at the border and scaled to a sum of 1.
 */
function antiAliased(filter: (x: number) => number, radius: number): AddWeights {
  return (row, output, scale, length) => {
    const stretch = Math.max(1, scale);
    const centre = (output + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - radius * stretch + 0.5));
    const end = Math.min(length, Math.trunc(centre + radius * stretch + 0.5));
    const weight = (pixel: number): number => filter((pixel + 0.5 - centre) / stretch);
    let sum = 0;
    for (let k = first; k < end; k++) sum += weight(k);
    for (let k = first; k < end; k++) add(row, k, weight(k) / sum);
  };
}

function triangle(x: number): number {
  return Math.max(0, 1 - Math.abs(x));
}

/** The cubic convolution kernel (Keys, 1981) with parameter `a`. */
export function cubic(signed: number, a: number): number {
  const x = Math.abs(signed);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}
