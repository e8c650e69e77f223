import { bmm, eye, nn, softmax, type Tensor } from '@chronotope/torch';

/**
 * Cosine similarities between the clips of each video (TSTR, TimeBalance Eq. 5).
 *
 * @param features `[V, n, F]` representations of n clips of V videos
 * @returns `[V, n, n]`, ones on the diagonal
 */
export function clipSimilarity(features: Tensor): Tensor {
  const unit = nn.functional.normalize(features, { dim: 2 });
  return bmm(unit, unit.transpose(1, 2));
}

/**
 * The temporal similarity score: mean of the off-diagonal entries (TSTR, method note 3).
 *
 * @param similarity `[V, n, n]` with n ≥ 2
 * @returns `[V]`; 1 for a video whose clips all look alike
 */
export function meanOffDiagonal(similarity: Tensor): Tensor {
  const n = similarity.shape[1]!;
  if (n < 2) throw new RangeError(`a similarity score needs at least 2 clips of a video, got ${n}`);
  const offDiagonal = eye(n, { dtype: similarity.dtype, device: similarity.device }).mul(-1).add(1);
  return similarity
    .mul(offDiagonal)
    .sum([1, 2])
    .div(n * (n - 1));
}

/** Settings of {@link mixTeachers}. */
export interface MixOptions {
  /** What is averaged: probabilities (official) or logits, which gives their geometric mean. Default `probabilities`. */
  of?: 'probabilities' | 'logits';
}

/**
 * The combined teacher: p_T = s p_I + (1 − s) p_D (TimeBalance Eq. 7). Mixing logits instead (ours, an option) gives
 * p_T ∝ p_I^s p_D^(1 − s), which is small wherever one teacher that counts says no.
 *
 * @param invariant `[B, C]` probabilities of the temporally-invariant teacher
 * @param distinctive `[B, C]` probabilities of the temporally-distinctive teacher
 * @param score `[B]` weight of the invariant teacher, in [0, 1]
 * @returns `[B, C]` probabilities
 */
export function mixTeachers(
  invariant: Tensor,
  distinctive: Tensor,
  score: Tensor,
  { of = 'probabilities' }: MixOptions = {},
): Tensor {
  const weight = score.unsqueeze(1);
  const mix = (first: Tensor, second: Tensor) => first.mul(weight).add(second.mul(weight.mul(-1).add(1)));
  // Probabilities of 0 have no logarithm, and 0 · ∞ no value.
  const logarithm = (probabilities: Tensor) => probabilities.clamp({ min: SMALLEST }).log();
  return of === 'probabilities'
    ? mix(invariant, distinctive)
    : softmax(mix(logarithm(invariant), logarithm(distinctive)), 1);
}

const SMALLEST = 1e-30;
