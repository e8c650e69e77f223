import type { AdaptiveRate } from './schedule.js';

/** When an {@link EpochLossRate} changes; each begins with the factors of the first epochs. */
export type EpochRule = {
  /** Factors of the first epochs, which do not depend on the loss; the last one stays until a rule changes it. */
  warmup: readonly number[];
} & (
  | {
      /** Epochs with a loss above the best so far, after which the k-th reduction sets the factor to `divisor` ** −k. */
      patience: number;
      divisor: number;
    }
  | {
      /** A loss in [from, below) sets the factor; any other leaves it as it is. */
      levels: readonly { from: number; below: number; factor: number }[];
    }
);

/** What an {@link EpochLossRate} has seen, as plain values. */
export interface EpochLossState {
  /** Epochs are counted from 0. */
  epoch: number;
  factor: number;
  /** The lowest loss of an epoch; null before the first one has ended. */
  best: number | null;
  /** Epochs with a higher loss than the best, since that or since the last reduction. */
  worse: number;
  reductions: number;
  /** The losses of this epoch so far. */
  losses: { sum: number; count: number };
}

/** A factor of the learning rate that is decided anew before every epoch, from the mean training loss of the last one. */
export class EpochLossRate implements AdaptiveRate<EpochLossState> {
  readonly #rule: EpochRule;
  readonly #stepsPerEpoch: number;
  #state: EpochLossState;

  constructor(rule: EpochRule, stepsPerEpoch: number, state?: EpochLossState) {
    this.#rule = rule;
    this.#stepsPerEpoch = stepsPerEpoch;
    const losses = { sum: 0, count: 0 };
    this.#state = state ?? { epoch: 0, factor: rule.warmup[0] ?? 1, best: null, worse: 0, reductions: 0, losses };
  }

  get factor(): number {
    return this.#state.factor;
  }

  get state(): EpochLossState {
    return this.#state;
  }

  takeLoss(_step: number, loss: number): void {
    const { sum, count } = this.#state.losses;
    this.#state = { ...this.#state, losses: { sum: sum + loss, count: count + 1 } };
    if (count + 1 === this.#stepsPerEpoch) this.#beginEpoch((sum + loss) / (count + 1));
  }

  #beginEpoch(loss: number): void {
    const { best, worse } = this.#state;
    const isBest = best === null || loss < best;
    const ended: EpochLossState = {
      ...this.#state,
      epoch: this.#state.epoch + 1,
      best: isBest ? loss : best,
      worse: isBest ? 0 : worse + (loss > best ? 1 : 0),
      losses: { sum: 0, count: 0 },
    };
    this.#state = { ...ended, ...this.#decision(ended, loss) };
  }

  #decision(state: EpochLossState, loss: number): Partial<EpochLossState> {
    const rule = this.#rule;
    const warm = rule.warmup[state.epoch];
    if (warm !== undefined) return { factor: warm };
    if ('levels' in rule) {
      return { factor: rule.levels.find(({ from, below }) => from <= loss && loss < below)?.factor ?? state.factor };
    }
    if (state.worse < rule.patience) return {};
    const reductions = state.reductions + 1;
    return { factor: rule.divisor ** -reductions, reductions, worse: 0 };
  }
}
