/** How a weight rises from almost nothing to its full value. */
export type RampUpShape = 'sigmoid' | 'linear';

/**
 * Share of its full value that a loss weight has at a step, because targets that a network makes itself are worth
 * nothing at first.
 *
 * - `sigmoid`: exp(−5 (1 − t)²), t = step / steps (Laine and Aila, "Temporal ensembling", ICLR 2017; Tarvainen and Valpola,
 *   "Mean teachers", NeurIPS 2017)
 * - `linear`: t (Lee, "Pseudo-label", ICML 2013 workshop, Eq. 16 with T1 = 0)
 *
 * @param step counted from 0
 * @param options.steps length of the rise; 0 gives the full value at once
 * @returns a number in [0, 1]; 1 from step `steps` on
 */
export function rampUp(step: number, options: { steps: number; shape?: RampUpShape }): number {
  const { steps, shape = 'sigmoid' } = options;
  if (step >= steps) return 1;
  const t = Math.max(0, step / steps);
  return shape === 'linear' ? t : Math.exp(-5 * (1 - t) ** 2);
}

/**
 * Decay of an exponential moving average that is a plain mean of the weights at first: min(decay, 1 − 1 / (step + 1))
 * (Tarvainen and Valpola, NeurIPS 2017, in their code). Without it the average would remember the random start for long.
 *
 * @param step optimiser steps taken before this one
 */
export function averagingDecay(step: number, decay: number): number {
  return Math.min(decay, 1 - 1 / (step + 1));
}
