import { cat, type Tensor, upsampleBicubic2d, upsampleNearest2d } from '@chronotope/torch';

/** How position embeddings become those of another grid: `bicubic`, corners not aligned; `nearest`: TimeSformer, SVT. */
export type PositionInterpolation = 'bicubic' | 'nearest';

/**
 * Position embeddings for another grid of patches: those of the patches resized, that of the class token as it is. The
 * same tensor if the grid is the same.
 *
 * @param positions [1 + side * side, D]: the class token's, then those of a square grid in reading order
 * @param grid rows and columns wanted
 * @param options.interpolation default `bicubic`
 * @returns [1 + rows * columns, D]
 */
export function resizePositions(
  positions: Tensor,
  [rows, columns]: readonly [rows: number, columns: number],
  { interpolation = 'bicubic' }: { interpolation?: PositionInterpolation } = {},
): Tensor {
  const [tokens, width] = positions.shape as [number, number];
  const side = Math.sqrt(tokens - 1);
  if (rows === side && columns === side) return positions;
  const planes = positions
    .narrow(0, 1, tokens - 1)
    .transpose(0, 1)
    .reshape([1, width, side, side]);
  const size = [rows, columns];
  const resized =
    interpolation === 'bicubic' ? upsampleBicubic2d(planes, size, false) : upsampleNearest2d(planes, size);
  return cat([positions.narrow(0, 0, 1), resized.reshape([width, rows * columns]).transpose(0, 1)]);
}
