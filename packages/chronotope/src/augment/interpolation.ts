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
  const weights = WEIGHTS[interpolation];
  const matrices = new Float32Array(crops.length * size * sourceSize);
  crops.forEach(({ start, length, canvas, offset, reversed }, clip) => {
    for (let i = 0; i < size; i++) {
      const row = (clip * size + (reversed ? size - 1 - i : i)) * sourceSize;
      for (const [k, weight] of weights(offset + i, length / canvas, length)) {
        if (start + k < sourceSize) matrices[row + start + k]! += weight;
      }
    }
  });
  return matrices;
}

/** Source pixels of one output pixel and their weights; `scale` is source pixels per output pixel. */
type PixelWeights = (output: number, scale: number, length: number) => [pixel: number, weight: number][];

const WEIGHTS: Record<Interpolation, PixelWeights> = {
  bilinear: antiAliased(triangle, 1),
  bicubic: antiAliased((x) => cubic(x, -0.5), 2),
  'bilinear-aliased': (output, scale, length) => {
    const centre = Math.max(0, (output + 0.5) * scale - 0.5);
    const first = Math.floor(centre);
    return [0, 1].map((k) => [Math.min(first + k, length - 1), triangle(first + k - centre)]);
  },
  'bicubic-aliased': (output, scale, length) => {
    const centre = (output + 0.5) * scale - 0.5;
    const first = Math.floor(centre);
    const inside = (k: number): number => Math.min(Math.max(k, 0), length - 1);
    return [-1, 0, 1, 2].map((k) => [inside(first + k), cubic(first + k - centre, -0.75)]);
  },
};

/**
 * Pillow's resampling: the filter is as wide as one source pixel when enlarging and as one output pixel when reducing,
 * cut at the border and scaled to a sum of 1.
 */
function antiAliased(filter: (x: number) => number, radius: number): PixelWeights {
  return (output, scale, length) => {
    const stretch = Math.max(1, scale);
    const centre = (output + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - radius * stretch + 0.5));
    const end = Math.min(length, Math.trunc(centre + radius * stretch + 0.5));
    const pixels = Array.from({ length: end - first }, (_, k) => first + k);
    const weights = pixels.map((k) => filter((k + 0.5 - centre) / stretch));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return pixels.map((k, index) => [k, weights[index]! / sum]);
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
