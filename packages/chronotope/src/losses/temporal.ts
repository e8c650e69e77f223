import { bmm, logSoftmax, type Tensor } from '@chronotope/torch';
import { ntXent } from './nt-xent.js';

/**
 * Local-local temporal contrast, D1 (TCLR and TimeBalance, method note 2.3): within each video, the two views of one
 * local clip attract each other and repel the clips at other times. Other videos never enter.
 *
 *   L_LL = Σ_videos NTX_K(x, x')
 *
 * @param view0 `[B, K, D]` unit embeddings of the K local clips, first view
 * @param view1 `[B, K, D]` the same clips, second view
 * @param options.reduction `sum` over the videos (official; grows with B) or `mean`
 * @returns a scalar
 */
export function localLocalLoss(
  view0: Tensor,
  view1: Tensor,
  options: { temperature?: number; reduction?: 'sum' | 'mean' } = {},
): Tensor {
  const { temperature = 0.1, reduction = 'sum' } = options;
  const perVideo = ntXent(view0, view1, { temperature });
  return reduction === 'sum' ? perVideo.sum() : perVideo.mean();
}

/**
 * Global-local temporal contrast, D2, of one combination of views (method note 2.4). Slice i of the global clip's
 * feature map covers the same source frames as local clip i, so (i, i) is the positive in each row and column:
 *
 *   GL(l, d) = 1/2B Σ_b Σ_i { −log softmax_row(S_b)[i,i] − log softmax_col(S_b)[i,i] },  S_b = l_b d_bᵀ / τ
 *
 * @param slices `[B, K, D]` unit embeddings of the K slices of the global clip
 * @param locals `[B, K, D]` unit embeddings of the K local clips
 * @returns a scalar
 */
export function globalLocalLoss(slices: Tensor, locals: Tensor, options: { temperature?: number } = {}): Tensor {
  const { temperature = 0.1 } = options;
  const similarity = bmm(slices, locals.transpose(1, 2)).div(temperature);
  const positives = (dim: number) => logSoftmax(similarity, dim).diagonal({ dim1: 1, dim2: 2 }).sum();
  return positives(2)
    .add(positives(1))
    .mul(-1 / (2 * slices.shape[0]!));
}

/**
 * L_GL = Σ over the four combinations of views of GL (method note 2.4).
 *
 * @param slices `[2, B, K, D]` by view of the global clip
 * @param locals `[2, B, K, D]` by view of the local clips
 */
export function globalLocalLossOverViews(
  slices: Tensor,
  locals: Tensor,
  options: { temperature?: number } = {},
): Tensor {
  const combination = (v: number, w: number) => globalLocalLoss(slices.select(0, v), locals.select(0, w), options);
  return combination(0, 0).add(combination(0, 1)).add(combination(1, 0)).add(combination(1, 1));
}
