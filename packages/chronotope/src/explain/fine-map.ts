import { cat, noGrad, scope, stack, type Tensor, tensor } from '@chronotope/torch';
import type { VideoBackbone } from '../models/backbone.js';

/** Places along each side of a map that one can look at. */
const ENOUGH_PLACES = 8;

/**
 * The last feature map of single images, finer than the network makes it: small pictures leave it one place or few. The
 * network sees the pictures moved by fractions of its stride, and the maps are put together (shift and stitch, Long et
 * al., CVPR 2015, section 3.2), so every place holds what the network itself computes around it. What a moved picture lacks
 * at its border is the last row or column again.
 *
 * @param images `[N, 3, S, S]`
 * @returns `[N, F, P, P]`, P at least 8
 */
export function fineFeatureMap(backbone: VideoBackbone, images: Tensor): Tensor {
  return scope(() =>
    noGrad(() => {
      const map = (moved: Tensor): Tensor => backbone.featureMap(moved.unsqueeze(2)).squeeze(2);
      const coarse = map(images);
      const side = images.shape[3]!;
      const factor = 2 ** Math.max(0, Math.ceil(Math.log2(ENOUGH_PLACES / coarse.shape[3]!)));
      if (factor === 1) return coarse;
      const shifts = Array.from({ length: factor }, (_, k) =>
        Math.round(((k + 0.5) / factor - 0.5) * backbone.spaceStride),
      );
      const rows = shifts.map((down) => {
        const lower = moved(images, 2, down, side);
        // [N, F, P, P, factor]: the places of one row of the fine map, in the order of the columns.
        const columns = stack(
          shifts.map((right) => map(moved(lower, 3, right, side))),
          { dim: 4 },
        );
        return columns.flatten({ startDim: 3 }).unsqueeze(3);
      });
      return cat(rows, { dim: 3 }).flatten({ startDim: 2, endDim: 3 });
    }),
  );
}

/** Pictures whose place k along a dimension is the old place k + shift, or the nearest one that there is. */
function moved(images: Tensor, dimension: number, shift: number, side: number): Tensor {
  const places = Array.from({ length: side }, (_, k) => Math.min(side - 1, Math.max(0, k + shift)));
  return images.indexSelect(dimension, tensor(BigInt64Array.from(places, BigInt), { device: images.device }));
}
