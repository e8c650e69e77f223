import { ChronotopeError } from '../errors.js';
import type { HalfType } from './optimizer-step.js';
import { shard } from './processes.js';
import type { ScheduleSettings } from './schedule.js';

/** How a stage is trained, whatever its method: the group `training` of a recipe. */
export interface TrainingSettings {
  /** Processor cores of a step; null takes all. */
  threads: number | null;
  /** Mixed precision in this type, or float32 throughout. */
  amp: 'off' | HalfType;
  /**
   * What computes convolutions on the CPU in float32: libtorch, or for each shape the fastest of several algorithms, as
   * measured at its first use.
   */
  convolutions: 'default' | 'tuned';
  /** Equal parts in which the batch of a step is computed one after the other; see {@link partOfBatch}. */
  accumulate: number;
  /** Largest joint norm of all gradients; null leaves them as they are. */
  clipGradients: number | null;
  schedule: ScheduleSettings;
  ema: {
    /** Share of the moving average of the weights that a step keeps; null makes no average. */
    decay: number | null;
    /** Which weights are validated and are the result of the stage. */
    result: 'average' | 'weights';
  };
  validation: {
    /** Steps between two measurements on the validation part; null never measures. */
    every: number | null;
    /** Which weights are the result of the stage: those that measured best, or the last ones. */
    keep: 'best' | 'last';
    /** Stops after this many measurements without improvement; null never does. */
    patience: number | null;
  };
  checkpoints: {
    /** Steps between two files of weights that stay; null writes none. */
    every: number | null;
    /** How many of the latest stay. */
    keep: number;
  };
  /** Write the curves for TensorBoard. */
  tensorboard: boolean;
  /** With several processes, compute batch statistics over all of them. */
  syncBatchNorm: boolean;
}

/** Everything off: the plain loop with a cosine. */
export const PLAIN_TRAINING: TrainingSettings = {
  threads: null,
  amp: 'off',
  convolutions: 'default',
  accumulate: 1,
  clipGradients: null,
  schedule: { name: 'cosine', gamma: 0.1, every: 1 / 3, milestones: [0.5, 0.75], patience: 2, lossSteps: 100 },
  ema: { decay: null, result: 'average' },
  validation: { every: null, keep: 'best', patience: null },
  checkpoints: { every: null, keep: 3 },
  tensorboard: false,
  syncBatchNorm: false,
};

/**
 * The size of the batches that loaders make for a stage: its steps put them together again. The step is the same as with
 * the whole batch where the loss is a mean over samples, and not where samples are compared with each other or share
 * batch statistics.
 *
 * @param batchSize samples of a step
 * @returns the samples of a part, over all processes
 * @throws ChronotopeError `batch-not-divisible`
 */
export function partOfBatch(batchSize: number, { accumulate }: Pick<TrainingSettings, 'accumulate'>): number {
  const parts = accumulate * shard().worldSize;
  if (batchSize % parts === 0) return batchSize / accumulate;
  throw new ChronotopeError('batch-not-divisible', `a batch of ${batchSize} has no ${parts} equal parts`, {
    hint: 'Choose batch sizes that are multiples of training.accumulate times the number of processes.',
  });
}
