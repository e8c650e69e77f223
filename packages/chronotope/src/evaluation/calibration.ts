import { argmax, type VideoPrediction } from './video-level.js';

/** The videos whose confidence lies in (from, to]; the first bin holds 0 as well. */
export interface ReliabilityBin {
  from: number;
  to: number;
  videos: number;
  /** Mean probability of the predicted class; NaN (null in JSON) without videos. */
  confidence: number;
  /** Share of videos whose predicted class is right; NaN without videos. */
  accuracy: number;
}

/** How far the probabilities can be believed. */
export interface Calibration {
  /** Expected calibration error: mean over videos of |accuracy - confidence| of their bin. */
  ece: number;
  /** Mean of Σ_c (p_c - [c is the truth])², from 0 to 2 (Brier 1950). */
  brier: number;
  /** Mean of -log p(truth), in nats; probabilities below 1e-12 count as 1e-12. */
  nll: number;
  /** The reliability table: bins of equal width. */
  bins: ReliabilityBin[];
}

const LEAST_PROBABILITY = 1e-12;

/**
 * Calibration over videos. The expected calibration error is Guo et al.'s ("On calibration of modern neural networks",
 * ICML 2017, Eq. 3): the confidence is the probability of the predicted class.
 *
 * @param truth the true class of each prediction's video
 * @param options.bins number of bins of equal width in [0, 1]. Default 15, as there.
 */
export function calibration(
  predictions: readonly Pick<VideoPrediction, 'probabilities'>[],
  truth: readonly number[],
  { bins: count = 15 }: { bins?: number } = {},
): Calibration {
  const bins = Array.from({ length: count }, () => ({ videos: 0, confidence: 0, right: 0 }));
  let [brier, nll] = [0, 0];
  for (const [video, { probabilities }] of predictions.entries()) {
    const label = truth[video]!;
    const predicted = argmax(probabilities);
    const confidence = probabilities[predicted]!;
    const bin = bins[Math.min(count - 1, Math.max(0, Math.ceil(confidence * count) - 1))]!;
    bin.videos++;
    bin.confidence += confidence;
    bin.right += predicted === label ? 1 : 0;
    brier += probabilities.reduce((sum, p, k) => sum + (p - (k === label ? 1 : 0)) ** 2, 0);
    nll -= Math.log(Math.max(LEAST_PROBABILITY, probabilities[label]!));
  }
  const { length } = predictions;
  return {
    ece: bins.reduce((sum, { confidence, right }) => sum + Math.abs(right - confidence), 0) / length,
    brier: brier / length,
    nll: nll / length,
    bins: bins.map(({ videos, confidence, right }, k) => ({
      from: k / count,
      to: (k + 1) / count,
      videos,
      confidence: confidence / videos,
      accuracy: right / videos,
    })),
  };
}
