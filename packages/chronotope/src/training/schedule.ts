/** A learning rate for every optimiser step, as a factor of the base rate. */
export type Schedule = (step: number) => number;

/**
 * Linear warm-up to 1, then half a cosine down to 0 at `steps`.
 *
 * @param options.steps optimiser steps in all
 * @param options.warmupSteps steps of the warm-up; step k of it uses (k + 1) / warmupSteps
 */
export function warmupCosine(options: { steps: number; warmupSteps?: number }): Schedule {
  const { steps, warmupSteps = 0 } = options;
  return (step) => {
    if (step < warmupSteps) return (step + 1) / warmupSteps;
    const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
    return 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress)));
  };
}
