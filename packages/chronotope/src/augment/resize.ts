import {
  constantPadNd,
  op,
  scope,
  type Tensor,
  tensor,
  upsampleBicubic2d,
  upsampleBilinear2d,
} from '@chronotope/torch';
import type { ClipAugmentation, FrameSize } from './clip-augmentation.js';
import { type AxisCrop, interpolationMatrices } from './interpolation.js';
import type { Interpolation } from './settings.js';

/** The geometry of one clip. */
export type CropAndFlip = Pick<ClipAugmentation, 'crop' | 'canvas' | 'flip' | 'interpolation'>;

/** Bytes of source frames, as floats, that the matrices are applied to at a time: see CHUNK_BYTES of `apply.ts`. */
const CHUNK_BYTES = { processor: 1 << 20, accelerator: 512 << 20 };

/** Source pixels of a clip from which on a processor is faster at it with libtorch's interpolation than with matrices. */
const LARGE_CLIP = 1 << 16;

/**
 * Crops, scales and mirrors a batch of clips, each in its own way.
 *
 * @param frames uint8 [N, T, H, W, 3] on any device
 * @param crops one for each clip, with the same interpolation
 * @param output float32 [N, 3, T, height, width], contiguous, on the device of the frames; is overwritten with values
 *   in [0, 1], except that bicubic interpolation overshoots a little
 */
export function resizeCrops(frames: Tensor, crops: readonly CropAndFlip[], output: Tensor): void {
  const [, length, height, width] = frames.shape as [number, number, number, number];
  const large = length * height * width >= LARGE_CLIP;
  (frames.device === 'cpu' && large ? resizeOneByOne : resizeByMatrices)(frames, crops, output);
}

const upsampleBilinearAntiAliased = op('aten::_upsample_bilinear2d_aa');
const upsampleBicubicAntiAliased = op('aten::_upsample_bicubic2d_aa');

const UPSAMPLE: Record<Interpolation, (planes: Tensor, size: [number, number]) => Tensor> = {
  bilinear: (planes, size) => upsampleBilinearAntiAliased(planes, size, false, null, null) as Tensor,
  bicubic: (planes, size) => upsampleBicubicAntiAliased(planes, size, false, null, null) as Tensor,
  'bilinear-aliased': (planes, size) => upsampleBilinear2d(planes, size, false),
  'bicubic-aliased': (planes, size) => upsampleBicubic2d(planes, size, false),
};

/** Clip by clip: only the crop is read and converted, and interpolation touches only the pixels that count. */
export function resizeOneByOne(frames: Tensor, crops: readonly CropAndFlip[], output: Tensor): void {
  const [height, width] = output.shape.slice(3) as [number, number];
  crops.forEach(({ crop, canvas, flip, interpolation }, clip) => {
    scope(() => {
      // Mirrored after the copy: libtorch mirrors a strided view six times as slowly.
      const source = cropPlanes(frames.select(0, clip), crop).contiguous();
      const planes = (flip ? source.flip([3]) : source).div(255);
      const scaled = UPSAMPLE[interpolation](planes, [canvas.height, canvas.width]);
      const left = flip ? canvas.width - width - canvas.left : canvas.left;
      output.select(0, clip).copy_(scaled.narrow(2, canvas.top, height).narrow(3, left, width));
    });
  });
}

/**
 * The part of a clip's frames in a box, black where the box reaches beyond them.
 *
 * @param frames uint8 [T, H, W, 3]
 * @returns uint8 [3, T, height, width], a view where the box lies inside
 */
function cropPlanes(frames: Tensor, { top, left, height, width }: ClipAugmentation['crop']): Tensor {
  const inside: FrameSize = {
    height: Math.min(height, frames.shape[1]! - top),
    width: Math.min(width, frames.shape[2]! - left),
  };
  const planes = frames.narrow(1, top, inside.height).narrow(2, left, inside.width).permute([3, 0, 1, 2]);
  const missing = [0, width - inside.width, 0, height - inside.height];
  return missing.some((pixels) => pixels > 0) ? constantPadNd(planes, missing) : planes;
}

/**
 * All clips in two batched matrix products: interpolation is separable, so the rows and the columns of a frame are each
 * mixed by one matrix a clip, and a mirror image is a matrix with its rows in reverse. A handful of calls whatever the
 * number of clips.
 */
export function resizeByMatrices(frames: Tensor, crops: readonly CropAndFlip[], output: Tensor): void {
  const [n, length, height, width] = frames.shape as [number, number, number, number];
  const [outputHeight, outputWidth] = output.shape.slice(3) as [number, number];
  const { interpolation } = crops[0]!;
  const vertical = crops.map(
    ({ crop, canvas }): AxisCrop => ({
      start: crop.top,
      length: crop.height,
      canvas: canvas.height,
      offset: canvas.top,
      reversed: false,
    }),
  );
  const horizontal = crops.map(
    ({ crop, canvas, flip }): AxisCrop => ({
      start: crop.left,
      length: crop.width,
      canvas: canvas.width,
      offset: canvas.left,
      reversed: flip,
    }),
  );
  const rowMatrices = interpolationMatrices(vertical, height, outputHeight, interpolation);
  const columnMatrices = interpolationMatrices(horizontal, width, outputWidth, interpolation);
  const limit = frames.device === 'cpu' ? CHUNK_BYTES.processor : CHUNK_BYTES.accelerator;
  const perChunk = Math.max(1, Math.floor(limit / (length * height * width * 3 * 4)));
  scope(() => {
    const { device } = frames;
    const rows = tensor(rowMatrices, { shape: [n, outputHeight, height], device });
    const columns = tensor(columnMatrices, { shape: [n, outputWidth, width], device }).transpose(1, 2);
    for (let start = 0; start < n; start += perChunk) {
      const [chunk, rowChunk, columnChunk, outputChunk] = [frames, rows, columns, output].map((batch) =>
        batch.narrow(0, start, Math.min(perChunk, n - start)),
      ) as [Tensor, Tensor, Tensor, Tensor];
      scope(() => outputChunk.copy_(multiply(chunk, rowChunk, columnChunk).view(outputChunk.shape)));
    }
  });
}

/**
 * Multiplications up to which OpenBLAS does a matrix product on the thread that asks. Beyond, it wakes others, which for
 * products of this size takes longer than the product, and leaves them waiting busily for the next one.
 */
const ONE_THREAD = 1 << 18;

/**
 * @param frames uint8 [n, T, H, W, 3]
 * @param rows float32 [n, height, H]
 * @param columns float32 [n, W, width]
 * @returns float32 in [0, 1], in the order of [n, 3, T, height, width]
 */
function multiply(frames: Tensor, rows: Tensor, columns: Tensor): Tensor {
  const [n, length, height, width] = frames.shape as [number, number, number, number];
  const [outputHeight, outputWidth] = [rows.shape[1]!, columns.shape[2]!];
  const rowParts = parts(length, outputHeight * height * length * width * 3);
  const perPart = length / rowParts;
  // Rows first: their product needs the frames with H in front, which costs nothing because the conversion to float
  // writes every value anyway.
  const source = frames
    .view([n, rowParts, perPart, height, width, 3])
    .permute([0, 1, 3, 2, 4, 5])
    .contiguous()
    .div(255)
    .view([n * rowParts, height, perPart * width * 3]);
  const shorter = repeat(rows, rowParts).bmm(source).view([n, rowParts, outputHeight, perPart, width, 3]);
  const columnParts = parts(length, 3 * length * outputHeight * width * outputWidth);
  const planes = shorter
    .permute([0, 5, 1, 3, 2, 4])
    .contiguous()
    .view([n * columnParts, (3 * length * outputHeight) / columnParts, width]);
  return planes.bmm(repeat(columns, columnParts));
}

/** The smallest divisor of `length` that cuts a product of this many multiplications into small ones; 1 if none does. */
function parts(length: number, multiplications: number): number {
  const divisors = Array.from({ length }, (_, k) => k + 1).filter((divisor) => length % divisor === 0);
  return divisors.find((divisor) => multiplications / divisor <= ONE_THREAD) ?? 1;
}

/** Each matrix of [n, …, …] a number of times in a row. */
function repeat(matrices: Tensor, times: number): Tensor {
  const [n, height, width] = matrices.shape as [number, number, number];
  if (times === 1) return matrices;
  return matrices
    .unsqueeze(1)
    .expand([n, times, height, width])
    .reshape([n * times, height, width]);
}
