import type { Tensor } from '@chronotope/torch';
import { entropy } from '../../losses/concepts.js';

/** How many different things a teacher says. All scalars. */
export interface OutputSigns {
  /** Mean entropy of a prediction in nats: log N is flat, 0 certain. */
  entropy: Tensor;
  /** Mutual information of videos and outputs in nats: 0 when the same is said of every video. */
  information: Tensor;
  /** Outputs in use, exp of the entropy of the mean prediction: 1 when one output always wins. */
  used: Tensor;
}

/** @param probabilities `[..., N]` of the teacher, without gradient */
export function outputSigns(probabilities: Tensor): OutputSigns {
  const rows = probabilities.reshape([-1, probabilities.shape.at(-1)!]);
  const ofEach = entropy(rows).mean();
  const ofMean = entropy(rows.mean(0));
  return { entropy: ofEach, information: ofMean.sub(ofEach), used: ofMean.exp() };
}

/** {@link OutputSigns} of one space as the log has them. */
export interface LoggedSigns {
  entropy: number;
  information: number;
  used: number;
}

/** Less information than this share of what a batch could show is none. */
const LEAST_INFORMATION = 0.02;
/** A prediction above this share of the largest entropy is flat. */
const FLAT = 0.95;

/**
 * Whether a teacher has collapsed: it says (nearly) the same of every video of a batch.
 *
 * @param outputs N
 * @param videos B
 * @returns what is wrong, for people; null if nothing is
 */
export function collapseIn(
  signs: LoggedSigns,
  { outputs, videos }: { outputs: number; videos: number },
): string | null {
  const most = Math.log(Math.min(outputs, videos));
  if (signs.information >= LEAST_INFORMATION * most) return null;
  if (signs.entropy > FLAT * Math.log(outputs)) {
    return `the teacher finds all ${outputs} outputs alike in every video: a lower teacher temperature sharpens them`;
  }
  const used = signs.used.toFixed(1);
  return `the teacher says the same of every video (${used} of ${outputs} outputs in use): use the uniform prior or centring`;
}
