import { TorchError } from '../errors.js';
import type { Optimizer } from './optimizer.js';

/** What all schedules of learning rates have in common (but for {@link ReduceLROnPlateau}, whose step takes a metric). */
export interface Schedule {
  /** Sets the learning rates for the next step of training. */
  step(): void;
  stateDict(): ScheduleState;
  /** @throws TorchError `argument` if the state is from other parameter groups or schedules */
  loadStateDict(state: ScheduleState): void;
}

/** The state of a schedule, JSON-able. */
export interface ScheduleState {
  /** Steps taken. */
  step: number;
  /** Of every parameter group the learning rate now and the one the schedule started from. */
  groups: { lr: number; initialLr: number }[];
  /** The states of the schedules that this one is made of. */
  parts: ScheduleState[];
}

/** What a rule knows when it sets the learning rate of one parameter group. */
export interface ScheduleMoment {
  /** Steps taken, 0 when the schedule is made. */
  step: number;
  /** The learning rate before this step. */
  lr: number;
  /** The learning rate the schedule started from. */
  initialLr: number;
  /** Index of the parameter group. */
  group: number;
}

/** The learning rate from now on. */
export type ScheduleRule = (now: ScheduleMoment) => number;

/**
 * Sets the learning rates of an optimiser: once when it is made (step 0), and again at each {@link step}, which a training
 * loop calls after `optimizer.step()`, once a step or once an epoch, whatever the schedule counts in. The arithmetic is
 * that of PyTorch's schedulers: most multiply the present rate, so that several can act on one optimiser.
 */
export class LRScheduler implements Schedule {
  readonly #optimizer: Optimizer;
  readonly #rule: ScheduleRule;
  #step = 0;

  constructor(optimizer: Optimizer, rule: ScheduleRule) {
    this.#optimizer = optimizer;
    this.#rule = rule;
    this.#apply();
  }

  step(): void {
    this.#step += 1;
    this.#apply();
  }

  /** Begins again at step 0 from the initial learning rates. */
  restart(): void {
    this.#step = 0;
    for (const group of this.#optimizer.paramGroups) {
      group.lr = group.initialLr ?? group.lr;
    }
    this.#apply();
  }

  stateDict(): ScheduleState {
    const groups = this.#optimizer.paramGroups.map(({ lr, initialLr = lr }) => ({ lr, initialLr }));
    return { step: this.#step, groups, parts: [] };
  }

  loadStateDict({ step, groups }: ScheduleState): void {
    assertOnePerGroup(this.#optimizer, groups, 'the state of the schedule');
    this.#step = step;
    for (const [index, group] of this.#optimizer.paramGroups.entries()) {
      Object.assign(group, groups[index]);
    }
  }

  #apply(): void {
    for (const [index, group] of this.#optimizer.paramGroups.entries()) {
      group.initialLr ??= group.lr;
      group.lr = this.#rule({ step: this.#step, lr: group.lr, initialLr: group.initialLr, group: index });
    }
  }
}

/** A factor as a function of the step. */
export type ScheduleFunction = (step: number) => number;

/** The initial learning rate times a function of the step; one function, or one per parameter group. */
export class LambdaLR extends LRScheduler {
  /** @throws TorchError `argument` unless there are as many functions as parameter groups */
  constructor(optimizer: Optimizer, factor: ScheduleFunction | readonly ScheduleFunction[]) {
    if (typeof factor !== 'function') {
      assertOnePerGroup(optimizer, factor, 'LambdaLR');
    }
    const factorOf = typeof factor === 'function' ? () => factor : (group: number) => factor[group]!;
    super(optimizer, ({ step, initialLr, group }) => initialLr * factorOf(group)(step));
  }
}

/** Multiplies the learning rate by gamma every stepSize steps. */
export class StepLR extends LRScheduler {
  /** @param options.gamma default 0.1 */
  constructor(optimizer: Optimizer, { stepSize, gamma = 0.1 }: { stepSize: number; gamma?: number }) {
    super(optimizer, ({ step, lr }) => (step > 0 && step % stepSize === 0 ? lr * gamma : lr));
  }
}

/** Multiplies the learning rate by gamma at each milestone; a step that is listed twice counts twice. */
export class MultiStepLR extends LRScheduler {
  /** @param options.gamma default 0.1 */
  constructor(optimizer: Optimizer, { milestones, gamma = 0.1 }: { milestones: readonly number[]; gamma?: number }) {
    super(optimizer, ({ step, lr }) => lr * gamma ** milestones.filter((milestone) => milestone === step).length);
  }
}

/** Multiplies the learning rate by gamma at each step. */
export class ExponentialLR extends LRScheduler {
  constructor(optimizer: Optimizer, { gamma }: { gamma: number }) {
    super(optimizer, ({ step, lr }) => (step > 0 ? lr * gamma : lr));
  }
}

/** Multiplies the learning rate by a factor until totalSteps have been taken. */
export class ConstantLR extends LRScheduler {
  /** Defaults: factor 1/3, totalSteps 5. */
  constructor(optimizer: Optimizer, { factor = 1 / 3, totalSteps = 5 }: { factor?: number; totalSteps?: number } = {}) {
    super(optimizer, ({ step, lr }) => {
      if (step === 0) {
        return lr * factor;
      }
      return step === totalSteps ? lr * (1 / factor) : lr;
    });
  }
}

/** Settings of {@link LinearLR}. */
export interface LinearLROptions {
  /** Factor at step 0, more than 0. Default 1/3. */
  startFactor?: number;
  /** Factor from totalSteps on. Default 1. */
  endFactor?: number;
  /** Default 5. */
  totalSteps?: number;
}

/** Moves the factor on the learning rate from startFactor to endFactor in equal steps: a warm-up, usually. */
export class LinearLR extends LRScheduler {
  constructor(optimizer: Optimizer, { startFactor = 1 / 3, endFactor = 1, totalSteps = 5 }: LinearLROptions = {}) {
    if (!(startFactor > 0)) {
      throw new TorchError(`LinearLR: startFactor must be more than 0, not ${startFactor}`, {
        code: 'argument',
        hint: 'each step multiplies the rate before it, and 0 stays 0; warmupCosine starts at 0',
      });
    }
    const change = endFactor - startFactor;
    super(optimizer, ({ step, lr }) => {
      if (step === 0) {
        return lr * startFactor;
      }
      return step > totalSteps ? lr : lr * (1 + change / (totalSteps * startFactor + (step - 1) * change));
    });
  }
}

/** Half a cosine from the initial learning rate to minLr in totalSteps, and back again (Loshchilov and Hutter, ICLR 2017). */
export class CosineAnnealingLR extends LRScheduler {
  /** @param options.minLr default 0 */
  constructor(optimizer: Optimizer, { totalSteps, minLr = 0 }: { totalSteps: number; minLr?: number }) {
    super(optimizer, ({ step, lr, initialLr }) => {
      if (step === 0) {
        return lr;
      }
      // At the bottom the rate is minLr, from where no factor leads up again.
      if ((step - 1 - totalSteps) % (2 * totalSteps) === 0) {
        return lr + ((initialLr - minLr) * (1 - Math.cos(Math.PI / totalSteps))) / 2;
      }
      const height = (at: number) => 1 + Math.cos((Math.PI * at) / totalSteps);
      return (height(step) / height(step - 1)) * (lr - minLr) + minLr;
    });
  }
}

/** Settings of {@link warmupCosine}. */
export interface WarmupCosineOptions {
  /** Steps of linear warm-up. Default 0. */
  warmupSteps?: number;
  /** Steps in all. */
  totalSteps: number;
  /** Factor at step 0, if there is a warm-up. Default 0. */
  startFactor?: number;
  /** Factor from totalSteps on. Default 0. */
  endFactor?: number;
}

/** A linear warm-up to 1, then half a cosine down to endFactor: for {@link LambdaLR}, or anything else that is scheduled. */
export function warmupCosine({
  warmupSteps = 0,
  totalSteps,
  startFactor = 0,
  endFactor = 0,
}: WarmupCosineOptions): ScheduleFunction {
  return (step) => {
    if (step < warmupSteps) {
      return startFactor + ((1 - startFactor) * step) / warmupSteps;
    }
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    return endFactor + ((1 - endFactor) * (1 + Math.cos(Math.PI * progress))) / 2;
  };
}

/** A schedule that is made of others, and counts its own steps. */
abstract class CombinedSchedule implements Schedule {
  #step = 0;

  constructor(protected readonly schedules: readonly LRScheduler[]) {}

  step(): void {
    this.#step += 1;
    this.stepParts(this.#step);
  }

  stateDict(): ScheduleState {
    return { step: this.#step, groups: [], parts: this.schedules.map((schedule) => schedule.stateDict()) };
  }

  loadStateDict({ step, parts }: ScheduleState): void {
    if (parts.length !== this.schedules.length) {
      throw new TorchError(`the state is made of ${parts.length} schedules, but here are ${this.schedules.length}`, {
        code: 'argument',
      });
    }
    for (const [index, schedule] of this.schedules.entries()) {
      schedule.loadStateDict(parts[index]!);
    }
    this.#step = step;
  }

  /** What step `step`, counted from 1, does to the parts. */
  protected abstract stepParts(step: number): void;
}

/** Several schedules at once: each step of this one is a step of all of them. */
export class ChainedScheduler extends CombinedSchedule {
  protected override stepParts(): void {
    for (const schedule of this.schedules) {
      schedule.step();
    }
  }
}

/** Schedules one after the other: the next one takes over, from its own start, at each milestone. */
export class SequentialLR extends CombinedSchedule {
  readonly #milestones: readonly number[];

  /** @throws TorchError `argument` unless there is one milestone fewer than schedules */
  constructor(schedules: readonly LRScheduler[], { milestones }: { milestones: readonly number[] }) {
    if (milestones.length !== schedules.length - 1) {
      throw new TorchError(
        `SequentialLR: ${schedules.length} schedules need ${schedules.length - 1} milestones, not ${milestones.length}`,
        { code: 'argument' },
      );
    }
    super(schedules);
    this.#milestones = [...milestones];
    // Every schedule has set the rates when it was made; only the first is meant to have.
    schedules[0]!.restart();
  }

  protected override stepParts(step: number): void {
    const passed = this.#milestones.filter((milestone) => milestone <= step).length;
    const schedule = this.schedules[passed]!;
    if (this.#milestones[passed - 1] === step) {
      schedule.restart();
    } else {
      schedule.step();
    }
  }
}

/** @throws TorchError `argument` unless there are as many values as parameter groups */
export function assertOnePerGroup({ paramGroups }: Optimizer, values: readonly unknown[], what: string): void {
  if (values.length !== paramGroups.length) {
    throw new TorchError(`${what}: ${values.length} values for ${paramGroups.length} parameter groups`, {
      code: 'argument',
      hint: 'one value is needed per parameter group of the optimiser',
    });
  }
}
