import { distributed } from '@chronotope/torch';
import { randomStream } from '../../random.js';

/** All that is random in one training step of one rank, besides the images. */
export interface StepDraws {
  /** For each of the N videos the candidate that is the positive of the intra-video loss. */
  intraPositive: readonly number[];
  /** The same for the cycle loss. */
  cyclePositive: readonly number[];
  /** Order of the cycle queue's entries: the first are the candidates for neighbours, the others the negatives. */
  queueOrder: readonly number[];
  /** Order of the images of all ranks for the momentum encoder; see `withShuffledBatches`. */
  imageOrder: readonly number[];
}

/**
 * Draws them. They depend on the seed, the step and (all but `imageOrder`, which the ranks share) the rank, so a run that
 * is resumed draws the same ones.
 *
 * @param step its number; where gradients are accumulated, that of the part, which draws for itself as a rank does
 * @param counts.videos N, of this rank
 * @param counts.candidates frames of each video that the positive is chosen from; 0 if there are none
 * @param counts.queue length of the queue that the cycle uses; 0 without one
 * @param counts.images images that the momentum encoder gets, of this rank
 */
export function drawStep(
  seed: number,
  step: number,
  counts: { videos: number; candidates: number; queue: number; images: number },
): StepDraws {
  const random = randomStream(seed, 'ccl', step, distributed.rank());
  const choices = () => Array.from({ length: counts.videos }, () => random.int(Math.max(1, counts.candidates)));
  const ranks = distributed.worldSize();
  return {
    intraPositive: choices(),
    cyclePositive: choices(),
    queueOrder: random.permutation(counts.queue),
    imageOrder: ranks === 1 ? [] : randomStream(seed, 'ccl-shuffle', step).permutation(counts.images * ranks),
  };
}
