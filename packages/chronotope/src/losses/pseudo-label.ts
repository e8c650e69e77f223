import { crossEntropyLoss, type Tensor } from '@chronotope/torch';
import { confident, detachedProbabilities, softCrossEntropy } from './targets.js';

/** Settings of {@link pseudoLabelLoss}. */
export interface PseudoLabelOptions {
  /** Only predictions at least this probable are learnt from; 0 takes all. Default 0.95. */
  threshold?: number;
  /** Learn from the distribution sharpened at this temperature instead of the most probable class. Default: off. */
  temperature?: number | null;
}

/** The loss of {@link pseudoLabelLoss} and how much of the batch it is about. */
export interface PseudoLabelLoss {
  /** A scalar. */
  loss: Tensor;
  /** Share of the batch that passes the threshold, a scalar without gradient. */
  kept: Tensor;
}

/**
 * Cross-entropy with the labels that a prediction gives, where it is sure enough:
 *
 *   L = 1/B Σ_b 1(max q_b ≥ τ) H(argmax q_b, softmax(z_b)),   q = softmax(source)
 *
 * - `source` = `logits`: pseudo-labels (Lee, ICML 2013 workshop, Eq. 15); a threshold of 0 is his.
 * - `source` = the logits of a weakly augmented view, `logits` those of a strongly augmented one: FixMatch (Sohn et al.,
 *   NeurIPS 2020, Eq. 4). With a temperature, the target is the sharpened distribution of UDA (Xie et al., NeurIPS 2020,
 *   section 2.3), as MixMatch sharpens.
 *
 * The sum is divided by all B, not by those kept, so that few sure predictions mean a small loss. No gradient flows into
 * `source`.
 *
 * @param logits `[B, C]`
 * @param source `[B, C]` logits of the same videos
 */
export function pseudoLabelLoss(
  logits: Tensor,
  source: Tensor,
  { threshold = 0.95, temperature = null }: PseudoLabelOptions = {},
): PseudoLabelLoss {
  const target = detachedProbabilities(source);
  const mask = confident(target, threshold);
  const perVideo =
    temperature === null
      ? crossEntropyLoss(logits, target.argmax(1), { reduction: 'none' })
      : softCrossEntropy(logits, detachedProbabilities(source, temperature));
  return { loss: perVideo.mul(mask).mean(), kept: mask.mean() };
}
