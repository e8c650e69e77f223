import { type Tensor, tensor } from '@chronotope/torch';

/** Box blurs in a row that stand in for a Gaussian one. */
const PASSES = 3;

/**
 * Gaussian blur as Pillow's `ImageFilter.GaussianBlur` approximates it: three box blurs of a fractional radius along
 * each axis, the border's pixels repeated outwards (Gwosdek et al., "Theoretical foundations of Gaussian convolution by
 * extended box filtering", SSVM 2011). Without Pillow's rounding to 8 bits after each of the six passes.
 *
 * @param clips float32 [N, 3, T, H, W]; is changed in place
 * @param sigmas of each clip, in pixels
 */
export function blur(clips: Tensor, sigmas: readonly number[]): void {
  const [n, channels, length, height, width] = clips.shape as [number, number, number, number, number];
  const rows = blurMatrices(sigmas, height, clips);
  const columns = blurMatrices(sigmas, width, clips).transpose(1, 2);
  const along = clips.view([n, channels * length * height, width]).bmm(columns);
  const across = rows.unsqueeze(1).matmul(along.view([n, channels * length, height, width]));
  clips.copy_(across.view(clips.shape));
}

/** The matrices [n, size, size] that blur one axis: a box blur's, to the power of the number of passes. */
function blurMatrices(sigmas: readonly number[], size: number, { device }: Tensor): Tensor {
  const boxes = new Float32Array(sigmas.length * size * size);
  sigmas.forEach((sigma, clip) => {
    const { reach, inner, edge } = extendedBox(sigma);
    for (let row = 0; row < size; row++) {
      for (let offset = -reach - 1; offset <= reach + 1; offset++) {
        const column = Math.min(Math.max(row + offset, 0), size - 1);
        boxes[(clip * size + row) * size + column]! += Math.abs(offset) <= reach ? inner : edge;
      }
    }
  });
  const once = tensor(boxes, { shape: [sigmas.length, size, size], device });
  let result = once;
  for (let pass = 1; pass < PASSES; pass++) result = result.bmm(once);
  return result;
}

/**
 * The extended box filter whose {@link PASSES}-fold application has the variance sigma²: 2 · reach + 1 pixels of weight
 * `inner` with one of weight `edge` at either end.
 */
function extendedBox(sigma: number): { reach: number; inner: number; edge: number } {
  const variance = (sigma * sigma) / PASSES;
  const reach = Math.floor((Math.sqrt(12 * variance + 1) - 1) / 2);
  const fraction =
    ((2 * reach + 1) * (reach * (reach + 1) - 3 * variance)) / (6 * (variance - (reach + 1) * (reach + 1)));
  const inner = 1 / (2 * (reach + fraction) + 1);
  return { reach, inner, edge: inner * fraction };
}
