import { logSoftmax, softmax, type Tensor } from '@chronotope/torch';

/**
 * Sharper (or, above 1, softer) probabilities: q_i^(1/T) / Σ_j q_j^(1/T) (Berthelot et al., "MixMatch", NeurIPS 2019,
 * Eq. 7). A temperature of 1 changes nothing.
 *
 * @param probabilities `[B, C]`
 * @param temperature T above 0
 * @returns `[B, C]` probabilities
 */
export function sharpen(probabilities: Tensor, temperature: number): Tensor {
  if (temperature === 1) return probabilities;
  // The largest becomes 1 before the power, so that nothing underflows to 0 / 0 at small temperatures.
  const powers = probabilities.div(probabilities.amax([1], { keepdim: true })).pow(1 / temperature);
  return powers.div(powers.sum(1, { keepdim: true }));
}

/**
 * Which predictions are confident enough to learn from: 1(max_c q_c ≥ threshold), as in FixMatch (Sohn et al., NeurIPS
 * 2020, Eq. 4).
 *
 * @param probabilities `[B, C]`
 * @returns `[B]` of ones and zeros, in the dtype of the probabilities
 */
export function confident(probabilities: Tensor, threshold: number): Tensor {
  return probabilities.amax([1]).ge(threshold).to({ dtype: probabilities.dtype });
}

/**
 * Targets that a network's own outputs give, without gradient: softmax(z), at a temperature if one is given.
 *
 * @param logits `[B, C]`
 */
export function detachedProbabilities(logits: Tensor, temperature = 1): Tensor {
  return softmax(logits.detach().div(temperature), 1);
}

/**
 * Cross-entropy against a distribution, −Σ_c q_c log softmax(z)_c, for each row.
 *
 * @param logits `[B, C]`
 * @param target `[B, C]` probabilities, without gradient
 * @returns `[B]`
 */
export function softCrossEntropy(logits: Tensor, target: Tensor): Tensor {
  return logSoftmax(logits, 1).mul(target).sum(1).mul(-1);
}
