import type { Optimizer } from './optimizer.js';
import { assertOnePerGroup } from './schedules.js';

/** Settings of {@link ReduceLROnPlateau}. */
export interface PlateauOptions {
  /** Whether less (`min`, default: a loss) or more (`max`: an accuracy) is better. */
  mode?: 'min' | 'max';
  /** Factor on the learning rate. Default 0.1. */
  factor?: number;
  /** Steps without improvement that are tolerated. Default 10. */
  patience?: number;
  /** How much counts as an improvement. Default 1e-4. */
  threshold?: number;
  /** The threshold is a share of the best value (`rel`, default) or a difference (`abs`). */
  thresholdMode?: 'rel' | 'abs';
  /** Steps after a reduction in which nothing is counted. Default 0. */
  cooldown?: number;
  /** Least learning rate, for all parameter groups or for each. Default 0. */
  minLr?: number | readonly number[];
  /** Reductions smaller than this are not made. Default 1e-8. */
  eps?: number;
}

/** The state of a {@link ReduceLROnPlateau}, JSON-able. */
export interface PlateauState {
  /** Null before the first step. */
  best: number | null;
  badSteps: number;
  cooldownLeft: number;
  lrs: number[];
}

/** Lowers the learning rate when a metric has stopped improving; PyTorch's rules. */
export class ReduceLROnPlateau {
  readonly #optimizer: Optimizer;
  readonly #options: Required<PlateauOptions> & { minLr: readonly number[] };
  #best: number | null = null;
  #badSteps = 0;
  #cooldownLeft = 0;

  /** @throws TorchError `argument` unless minLr is one number or one per parameter group */
  constructor(optimizer: Optimizer, options: PlateauOptions = {}) {
    const { minLr = 0 } = options;
    const minLrs = typeof minLr === 'number' ? optimizer.paramGroups.map(() => minLr) : minLr;
    assertOnePerGroup(optimizer, minLrs, 'ReduceLROnPlateau: minLr');
    this.#optimizer = optimizer;
    this.#options = {
      mode: 'min',
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: 'rel',
      cooldown: 0,
      eps: 1e-8,
      ...options,
      minLr: minLrs,
    };
  }

  /** Takes the metric of an epoch. NaN is no improvement. */
  step(metric: number): void {
    if (this.#isBetter(metric)) {
      this.#best = metric;
      this.#badSteps = 0;
    } else {
      this.#badSteps += 1;
    }
    if (this.#cooldownLeft > 0) {
      this.#cooldownLeft -= 1;
      this.#badSteps = 0;
    }
    if (this.#badSteps > this.#options.patience) {
      this.#reduce();
      this.#cooldownLeft = this.#options.cooldown;
      this.#badSteps = 0;
    }
  }

  stateDict(): PlateauState {
    return {
      best: this.#best,
      badSteps: this.#badSteps,
      cooldownLeft: this.#cooldownLeft,
      lrs: this.#optimizer.paramGroups.map(({ lr }) => lr),
    };
  }

  /** @throws TorchError `argument` if the optimiser has another number of parameter groups */
  loadStateDict({ best, badSteps, cooldownLeft, lrs }: PlateauState): void {
    assertOnePerGroup(this.#optimizer, lrs, 'the state of the schedule');
    this.#best = best;
    this.#badSteps = badSteps;
    this.#cooldownLeft = cooldownLeft;
    for (const [index, group] of this.#optimizer.paramGroups.entries()) {
      group.lr = lrs[index]!;
    }
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const best = this.#best ?? (mode === 'min' ? Infinity : -Infinity);
    const sign = mode === 'min' ? -1 : 1;
    const bar = thresholdMode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold;
    return mode === 'min' ? metric < bar : metric > bar;
  }

  #reduce(): void {
    const { factor, minLr, eps } = this.#options;
    for (const [index, group] of this.#optimizer.paramGroups.entries()) {
      const lr = Math.max(group.lr * factor, minLr[index]!);
      if (group.lr - lr > eps) {
        group.lr = lr;
      }
    }
  }
}
