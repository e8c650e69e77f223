/** Settings of {@link cosineSchedule}. */
export interface CosineScheduleOptions {
  /** Value at the start, after the warm-up. */
  from: number;
  /** Value towards the end; it would be reached one step after the last. */
  to: number;
  /** Steps in all. */
  steps: number;
  /** Steps of a linear warm-up, whose last has the value `from` already. Default 0. */
  warmupSteps?: number;
  /** Value of the first step of the warm-up. Default 0. */
  warmupFrom?: number;
}

/**
 * A value for every step that goes from one number to another along half a cosine: DINO's schedule of learning rate,
 * weight decay and teacher momentum (its `cosine_scheduler`, number for number).
 */
export function cosineSchedule(options: CosineScheduleOptions): (step: number) => number {
  const { from, to, steps, warmupSteps = 0, warmupFrom = 0 } = options;
  return (step) => {
    if (step < warmupSteps) return warmupFrom + ((from - warmupFrom) * step) / Math.max(1, warmupSteps - 1);
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps));
    return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * progress));
  };
}

/**
 * A value for every epoch that rises in equal steps over the first epochs and then stays: DINO's temperature of the
 * teacher. The last of the `warmupEpochs` has the value `to` already.
 */
export function warmedUp(options: { from: number; to: number; warmupEpochs: number }): (epoch: number) => number {
  const { from, to, warmupEpochs } = options;
  return (epoch) => (epoch < warmupEpochs ? from + ((to - from) * epoch) / Math.max(1, warmupEpochs - 1) : to);
}
