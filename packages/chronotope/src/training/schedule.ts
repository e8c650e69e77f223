import { type Best, type Better, judge } from './best.js';

/** A learning rate for every optimiser step, as a factor of the base rate. */
export type Schedule = (step: number) => number;

/** The schedules that a recipe may name. */
export const SCHEDULES = ['cosine', 'constant', 'linear', 'step', 'multi-step', 'plateau'] as const;

/** Settings of {@link namedSchedule}. Shares are of all optimiser steps, so that they fit stages of any length. */
export interface ScheduleSettings {
  /**
   * `cosine` and `linear` fall to 0 at the last step; `constant` stays; `step` multiplies by `gamma` after every share
   * `every` of the steps, `multi-step` at the `milestones`; `plateau` when nothing gets better any more, see
   * {@link Plateau}.
   */
  name: (typeof SCHEDULES)[number];
  /** Factor of one reduction of `step`, `multi-step` and `plateau`. */
  gamma: number;
  /** Share of the steps between two reductions of `step`. */
  every: number;
  /** Shares of the steps at which `multi-step` reduces. */
  milestones: readonly number[];
  /** Measurements without improvement that `plateau` tolerates. */
  patience: number;
  /** Steps whose mean loss is one measurement of `plateau` in stages without validation. */
  lossSteps: number;
}

/**
 * The schedule of a name, after a linear warm-up to 1.
 *
 * @param length.steps optimiser steps in all
 * @param length.warmupSteps steps of the warm-up; step k of it uses (k + 1) / warmupSteps
 */
export function namedSchedule(
  { name, gamma, every, milestones }: Pick<ScheduleSettings, 'name' | 'gamma' | 'every' | 'milestones'>,
  length: { steps: number; warmupSteps?: number },
): Schedule {
  const { steps, warmupSteps = 0 } = length;
  switch (name) {
    case 'cosine':
      return warmupCosine(length);
    case 'constant':
    case 'plateau':
      return afterWarmup(warmupSteps, () => 1);
    case 'linear':
      return afterWarmup(warmupSteps, (step) => 1 - Math.min(1, progressOf(step, steps, warmupSteps)));
    case 'step': {
      const stepSize = Math.max(1, Math.round(every * steps));
      return afterWarmup(warmupSteps, (step) => gamma ** Math.floor(step / stepSize));
    }
    case 'multi-step': {
      const at = milestones.map((share) => Math.round(share * steps));
      return afterWarmup(warmupSteps, (step) => gamma ** at.filter((milestone) => milestone <= step).length);
    }
  }
}

/**
 * Linear warm-up to 1, then half a cosine down to 0 at `steps`.
 *
 * @param options.steps optimiser steps in all
 * @param options.warmupSteps steps of the warm-up; step k of it uses (k + 1) / warmupSteps
 */
export function warmupCosine(options: { steps: number; warmupSteps?: number }): Schedule {
  const { steps, warmupSteps = 0 } = options;
  return afterWarmup(warmupSteps, (step) => {
    return 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progressOf(step, steps, warmupSteps))));
  });
}

function afterWarmup(warmupSteps: number, schedule: Schedule): Schedule {
  return (step) => (step < warmupSteps ? (step + 1) / warmupSteps : schedule(step));
}

function progressOf(step: number, steps: number, warmupSteps: number): number {
  return (step - warmupSteps) / Math.max(1, steps - warmupSteps);
}

/** A further factor of the learning rate, which follows what the training has measured so far. */
export interface AdaptiveRate<State = unknown> {
  /** For the next step. */
  readonly factor: number;
  /** Plain values, from which another one goes on. */
  readonly state: State;
  /** The loss of a step, counted from 1, of all processes together. */
  takeLoss(step: number, loss: number): void;
  /** A measurement of the validation after a step. Default: it does not matter, and {@link takeLoss} gets every loss. */
  takeMeasurement?(step: number, value: number): void;
}

/** Settings of a {@link Plateau}. */
export interface PlateauSettings {
  /** Factor of one reduction. */
  gamma: number;
  /** Measurements without improvement that are tolerated. */
  patience: number;
  /** Steps whose mean loss is one measurement where nothing else is measured. */
  lossSteps: number;
}

/** What a {@link Plateau} has seen, as plain values. */
export interface PlateauState {
  factor: number;
  best?: Best;
  /** The losses since the last measurement. */
  losses: { sum: number; count: number };
}

/**
 * A further factor of the learning rate, which falls when measurements have stopped getting better: PyTorch's
 * ReduceLROnPlateau without threshold and cool-down.
 */
export class Plateau implements AdaptiveRate<PlateauState> {
  readonly #settings: PlateauSettings;
  readonly #better: Better;
  #state: PlateauState;

  constructor(settings: PlateauSettings, better: Better, state?: PlateauState) {
    this.#settings = settings;
    this.#better = better;
    this.#state = state ?? { factor: 1, losses: { sum: 0, count: 0 } };
  }

  get factor(): number {
    return this.#state.factor;
  }

  get state(): PlateauState {
    return this.#state;
  }

  takeMeasurement(step: number, value: number): void {
    const { gamma, patience } = this.#settings;
    const best = judge(this.#state.best, { step, value }, this.#better);
    const reduces = best.since > patience;
    this.#state = {
      factor: reduces ? this.#state.factor * gamma : this.#state.factor,
      best: reduces ? { ...best, since: 0 } : best,
      losses: { sum: 0, count: 0 },
    };
  }

  takeLoss(step: number, loss: number): void {
    const { sum, count } = this.#state.losses;
    const losses = { sum: sum + loss, count: count + 1 };
    if (losses.count === this.#settings.lossSteps) this.takeMeasurement(step, losses.sum / losses.count);
    else this.#state = { ...this.#state, losses };
  }
}
