import { nn, type Tensor } from '@chronotope/torch';

/**
 * Where features lie in a concept space: their cosines to its axes (LSS, method note 2.2).
 *
 * @param features `[..., E]`; in half precision they are made float32 first
 * @param concepts `[N, E]` float32, rows of length 1
 * @returns `[..., N]` in [-1, 1]
 */
export function conceptScores(features: Tensor, concepts: Tensor): Tensor {
  const isHalf = features.dtype === 'float16' || features.dtype === 'bfloat16';
  const full = isHalf ? features.to({ dtype: 'float32' }) : features;
  return nn.functional.normalize(full, { dim: -1 }).matmul(concepts.transpose(0, 1));
}

/** How far predictions of a whole batch are from using all concepts alike. */
export type UniformPrior = 'neg-mean-log' | 'kl-to-uniform';

/** Least probability whose logarithm is taken; its inverse, which gradients need, fits into float32 too. */
export const LEAST_PROBABILITY = 1e-30;

/**
 * The uniform-distribution prior against collapse (LSS; the paper's form is not known, method note 2.4). With the mean
 * prediction p̄ of a batch:
 *
 * - `neg-mean-log`: −1/N Σ log p̄_k = KL(uniform ‖ p̄) + log N, at least log N (the fairness term of MUST, ICLR 2023)
 * - `kl-to-uniform`: Σ p̄_k log(N p̄_k) = KL(p̄ ‖ uniform), at least 0; gentler on concepts that really are absent (MSN)
 *
 * @param mean `[N]` p̄
 * @returns a scalar
 */
export function uniformPrior(mean: Tensor, kind: UniformPrior = 'neg-mean-log'): Tensor {
  const log = mean.clamp({ min: LEAST_PROBABILITY }).log();
  switch (kind) {
    case 'neg-mean-log':
      return log.mean().mul(-1);
    case 'kl-to-uniform':
      return mean.mul(log).sum().add(Math.log(mean.numel));
  }
}

/** The prior of one step, and what the next step needs to know of it. */
export interface RunningPrior {
  /** Scalar. */
  loss: Tensor;
  /** `[N]`, without gradient. */
  mean: Tensor;
}

/** Share of the new batch in the running mean. */
const NEW_SHARE = 0.5;

/**
 * `neg-mean-log` of a running mean, for more concepts than a batch can show (MUST does so from 512 on):
 * q = ½ (q_previous + p̄), −1/N Σ log q / ½. The division gives p̄ the gradient that it would have alone.
 *
 * @param mean `[N]` p̄
 * @param previous `[N]` q of the step before; null at the first one, where q = p̄
 */
export function runningUniformPrior(mean: Tensor, previous: Tensor | null): RunningPrior {
  const running = previous === null ? mean : mean.add(previous.detach()).mul(NEW_SHARE);
  return { loss: uniformPrior(running).div(NEW_SHARE), mean: running.detach() };
}

/**
 * Entropy −Σ p log p of distributions along the last dimension, with 0 log 0 = 0: log N for a uniform one, 0 for certainty.
 *
 * @param probabilities `[..., N]`
 * @returns `[...]`
 */
export function entropy(probabilities: Tensor): Tensor {
  return probabilities
    .mul(probabilities.clamp({ min: LEAST_PROBABILITY }).log())
    .sum(-1)
    .mul(-1);
}
