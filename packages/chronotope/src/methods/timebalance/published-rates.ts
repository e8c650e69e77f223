import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { EpochLossRate, type EpochLossState, type EpochRule } from '../../training/epoch-loss-rate.js';

/** The learning rates of published training scripts that a recipe may name beside the trainer's own schedules. */
export type PublishedRates = Extract<TimeBalanceRecipe['training']['schedule']['name'], `official-${string}`>;

/** 0.01 to 1 in ten steps, and 1e-9 more, as the configuration files of TimeBalance have it. */
const TEN_EPOCHS = Array.from({ length: 10 }, (_, epoch) => 0.01 + 0.11 * epoch + 1e-9);

/**
 * Pre-training. TimeBalance counts epochs up to `warmup = True`, so that only the first one is warm: the rate stays at a
 * hundredth until the first plateau, then rises to one half (method note W1). TCLR gives the number.
 */
const PRETRAINING: Record<PublishedRates, EpochRule> = {
  'official-timebalance': { warmup: TEN_EPOCHS.slice(0, 1), patience: 5, divisor: 2 },
  'official-tclr': { warmup: [0.01, 0.05, 0.1, 0.5, 1], patience: 9, divisor: 10 },
};

/**
 * Fine-tuning and the student (TimeBalance): thresholds of the whole weighted loss. The code lists smaller ones as well,
 * which it never reaches, and between 0.4 and 0.5 changes nothing (method note W2).
 */
const LABELS: EpochRule = {
  warmup: TEN_EPOCHS,
  levels: [
    { from: 0.5, below: 0.8, factor: 1 / 2 },
    { from: Number.NEGATIVE_INFINITY, below: 0.4, factor: 1 / 10 },
  ],
};

/** Whether a schedule of a recipe is one of {@link PublishedRates}. */
export function isPublished(name: string): name is PublishedRates {
  return name in PRETRAINING;
}

/**
 * The learning rate of a stage as the published code sets it, epoch by epoch (method note 6). Warm-up included.
 *
 * @param stage.learnsFrom what decides about the rule: TCLR's for labels is not known here, and TimeBalance's is taken
 */
export function publishedRate(
  name: PublishedRates,
  { learnsFrom, stepsPerEpoch }: { learnsFrom: 'videos' | 'labels'; stepsPerEpoch: number },
  state?: EpochLossState,
): EpochLossRate {
  return new EpochLossRate(learnsFrom === 'videos' ? PRETRAINING[name] : LABELS, stepsPerEpoch, state);
}
