import type { Schedule } from './schedule.js';

/** A factor of the base learning rate for each epoch; epochs count from 0. */
export type EpochFactor = (epoch: number) => number;

/** A schedule that changes the learning rate between epochs only, as the published training scripts of MoCo and CCL do. */
export function byEpoch(factor: EpochFactor, stepsPerEpoch: number): Schedule {
  return (step) => factor(Math.floor(step / stepsPerEpoch));
}

/** Half a cosine from 1 towards 0: ½ (1 + cos(π · epoch / epochs)). */
export function cosineEpochs(epochs: number): EpochFactor {
  return (epoch) => 0.5 * (1 + Math.cos((Math.PI * epoch) / epochs));
}

/**
 * Multiplies by `gamma` at each milestone.
 *
 * @param milestones the first epochs with the smaller rate
 */
export function milestoneEpochs(milestones: readonly number[], gamma = 0.1): EpochFactor {
  return (epoch) => gamma ** milestones.filter((milestone) => epoch >= milestone).length;
}
