import { matmul, scope, type Tensor, tensor } from '@chronotope/torch';
import { cubic } from './interpolation.js';

/** How OpenCV mixes pixels when it resizes; none of them smooths when an image is reduced, except `area`. */
export const OPENCV_INTERPOLATIONS = ['linear', 'cubic', 'area', 'nearest', 'lanczos'] as const;

/** One of {@link OPENCV_INTERPOLATIONS}. */
export type OpenCvInterpolation = (typeof OPENCV_INTERPOLATIONS)[number];

/**
 * Resizes an image as `cv2.resize` does with 8-bit images, within a grey level: half-pixel centres, border pixels repeated,
 * results rounded.
 *
 * @param image float32 `[C, H, W]`, values from 0 to 255
 * @returns float32 `[C, height, width]`, whole values from 0 to 255
 */
export function resizeLikeOpenCv(
  image: Tensor,
  height: number,
  width: number,
  interpolation: OpenCvInterpolation,
): Tensor {
  const [, rows, columns] = image.shape as [number, number, number];
  if (rows === height && columns === width) return image;
  // OpenCV averages areas only where both axes shrink.
  const isEnlarged = height > rows || width > columns;
  const taps = interpolation === 'area' && isEnlarged ? areaOfTwo : TAPS[interpolation];
  return scope(() => {
    const down = weightMatrix(rows, height, taps);
    const across = weightMatrix(columns, width, taps).transpose(0, 1);
    return matmul(matmul(down, image), across).round().clamp({ min: 0, max: 255 });
  });
}

/** What each output pixel of an axis takes of the source pixels: `[size, sourceSize]`; rows sum to 1. */
function weightMatrix(sourceSize: number, size: number, taps: Taps): Tensor {
  const matrix = new Float32Array(size * sourceSize);
  const scale = sourceSize / size;
  for (let i = 0; i < size; i++) {
    for (const [pixel, weight] of taps(i, scale)) {
      matrix[i * sourceSize + Math.min(Math.max(pixel, 0), sourceSize - 1)]! += weight;
    }
  }
  return tensor(matrix, { shape: [size, sourceSize] });
}

/** Source pixels of an output pixel and their weights; `scale` is source pixels per output pixel. */
type Taps = (output: number, scale: number) => [pixel: number, weight: number][];

const TAPS: Record<OpenCvInterpolation, Taps> = {
  nearest: (output, scale) => [[Math.floor(output * scale), 1]],
  linear: around(1, (x) => 1 - Math.abs(x)),
  cubic: around(2, (x) => cubic(x, -0.75)),
  lanczos: around(4, (x) => sinc(x) * sinc(x / 4)),
  area: (output, scale) => {
    const [start, end] = [output * scale, (output + 1) * scale];
    const pixels = Array.from({ length: Math.ceil(end) - Math.floor(start) }, (_, k) => Math.floor(start) + k);
    return pixels.map((pixel) => [pixel, (Math.min(pixel + 1, end) - Math.max(pixel, start)) / scale]);
  },
};

/** `area` of the pixel under the left border and the next one: all that an output pixel covers where it is smaller. */
function areaOfTwo(output: number, scale: number): [pixel: number, weight: number][] {
  const first = Math.floor(output * scale);
  const beyond = output + 1 - (first + 1) / scale;
  const second = beyond <= 0 ? 0 : beyond - Math.floor(beyond);
  return [
    [first, 1 - second],
    [first + 1, second],
  ];
}

/** `radius` pixels to either side, weighed by their distance; the weights are scaled to a sum of 1. */
function around(radius: number, kernel: (distance: number) => number): Taps {
  return (output, scale) => {
    const centre = (output + 0.5) * scale - 0.5;
    const first = Math.floor(centre) - radius + 1;
    const taps = Array.from({ length: 2 * radius }, (_, k): [number, number] => [
      first + k,
      kernel(first + k - centre),
    ]);
    const sum = taps.reduce((total, [, weight]) => total + weight, 0);
    return taps.map(([pixel, weight]) => [pixel, weight / sum]);
  };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
