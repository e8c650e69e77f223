import { inferenceMode, onesLike, type Tensor, tensor } from '@chronotope/torch';

/** Rounds of Sinkhorn's iteration; a dozen suffice where no class is nearly absent. */
const ROUNDS = 100;
/** Least probability and least share of a class, so that no factor is 0 or infinite. */
const SMALLEST = 1e-12;

/**
 * One factor f for each class, so that the predictions q_vc = p_vc f_c / Σ_k p_vk f_k name each class as often as the
 * prior says: mean_v q_vc = π_c. Found by rescaling columns and rows in turn (Sinkhorn and Knopp 1967); one round is the
 * distribution alignment of ReMixMatch (Berthelot et al., ICLR 2020, section 3.1) over all videos at once.
 *
 * @param probabilities `[V, C]` of all videos
 * @param prior C numbers, 0 or more; only their proportions matter
 * @returns `[C]` float32 factors of mean 1
 */
export function balancingFactors(probabilities: Tensor, prior: readonly number[]): Tensor {
  return inferenceMode(() => {
    const { device } = probabilities;
    const videos = probabilities.to({ dtype: 'float64' }).clamp({ min: SMALLEST });
    const total = prior.reduce((sum, one) => sum + one, 0);
    const wanted = tensor(
      Float64Array.from(prior, (one) => Math.max(SMALLEST, one / total)),
      { device },
    );
    let factors = onesLike(wanted);
    for (let round = 0; round < ROUNDS; round += 1) {
      factors = factors.mul(wanted).div(rebalance(videos, factors).mean(0));
      factors = factors.div(factors.mean());
    }
    return factors.to({ dtype: 'float32' });
  });
}

/**
 * Predictions weighed by class: p_vc f_c / Σ_k p_vk f_k.
 *
 * @param probabilities `[B, C]`
 * @param factors `[C]`, see {@link balancingFactors}
 * @returns `[B, C]` probabilities
 */
export function rebalance(probabilities: Tensor, factors: Tensor): Tensor {
  const weighed = probabilities.mul(factors);
  return weighed.div(weighed.sum(1, { keepdim: true }));
}
