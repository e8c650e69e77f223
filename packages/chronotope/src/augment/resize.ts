import { resampleFrames, scope, type Tensor, tensor } from '@chronotope/torch';
import type { ClipAugmentation } from './clip-augmentation.js';
import { type AxisCrop, interpolationMatrices } from './interpolation.js';

/** The geometry of one clip. */
export type CropAndFlip = Pick<ClipAugmentation, 'crop' | 'canvas' | 'flip' | 'interpolation'>;

/** Bytes of source frames, as floats, that the matrices are applied to at a time on an accelerator. */
const CHUNK_BYTES = 512 << 20;

/**
 * Crops, scales and mirrors a batch of clips, each in its own way: interpolation is separable, so the rows and the columns
 * of a frame are each mixed by one matrix a clip, and a mirror image is a matrix with its rows in reverse.
 *
 * @param frames uint8 [N, T, H, W, 3] on any device
 * @param crops one for each clip, with the same interpolation
 * @param output float32 [N, 3, T, height, width], contiguous, on the device of the frames; is overwritten with values
 *   in [0, 1], except that bicubic interpolation overshoots a little
 */
export function resizeCrops(frames: Tensor, crops: readonly CropAndFlip[], output: Tensor): void {
  scope(() => {
    const { rows, columns } = matricesOf(frames, crops, output);
    if (frames.device === 'cpu') resampleFrames(frames, rows, columns, output);
    else multiplyMatrices(frames, rows, columns, output);
  });
}

/** The matrices, rows [N, height, H] and columns [N, width, W]. */
export function matricesOf(
  { shape, device }: Tensor,
  crops: readonly CropAndFlip[],
  output: Tensor,
): { rows: Tensor; columns: Tensor } {
  const [n, , height, width] = shape as [number, number, number, number];
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
  const down = interpolationMatrices(vertical, height, outputHeight, interpolation);
  const across = interpolationMatrices(horizontal, width, outputWidth, interpolation);
  return {
    rows: tensor(down, { shape: [n, outputHeight, height], device }),
    columns: tensor(across, { shape: [n, outputWidth, width], device }),
  };
}

/**
 * Two batched matrix products, a few clips at a time to bound memory: a handful of calls whatever the number of clips.
 *
 * @param frames uint8 [N, T, H, W, 3]
 * @param rows float32 [N, height, H]
 * @param columns float32 [N, width, W]
 * @param output float32 [N, 3, T, height, width]
 */
export function multiplyMatrices(frames: Tensor, rows: Tensor, columns: Tensor, output: Tensor): void {
  const [n, length, height, width] = frames.shape as [number, number, number, number];
  const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / (length * height * width * 3 * 4)));
  for (let start = 0; start < n; start += perChunk) {
    const count = Math.min(perChunk, n - start);
    const part = (batch: Tensor): Tensor => batch.narrow(0, start, count);
    scope(() => {
      // Rows first: their product needs the frames with H in front, which costs nothing because the conversion to float
      // writes every value anyway.
      const source = part(frames).permute([0, 2, 1, 3, 4]).div(255).reshape([count, height, -1]);
      const shorter = part(rows).bmm(source).view([count, -1, length, width, 3]);
      const planes = shorter.permute([0, 4, 2, 1, 3]).reshape([count, -1, width]);
      part(output).copy_(planes.bmm(part(columns).transpose(1, 2)).view([count, ...output.shape.slice(1)]));
    });
  }
}
