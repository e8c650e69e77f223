import type { ManifestEntry } from '../../data/manifest.js';
import { IMAGE_FRAME_RATE } from '../../data/source-video.js';
import { ChronotopeError } from '../../errors.js';
import type { CclRecipe } from '../../recipes/ccl.js';
import { requireDivisible } from './key-queue.js';
import type { QueueLengths } from './model.js';
import type { StepSettings } from './step.js';

/** A set with fewer videos than this many queue lengths meets its own keys often (CCL's note 2.7). */
const FEW = 4;
/** Share of the videos that derived queues hold at most, so that few keys are of the query's own last visit (note 6.9). */
const QUEUE_SHARE = 0.5;

/** Which losses a kind of objective has. */
function losses({ kind }: CclRecipe['objective']): { intra: boolean; cycle: boolean } {
  return { intra: kind !== 'cycle', cycle: kind !== 'intra' && kind !== 'moco' };
}

/** Whether there are two heads and two queues. */
export function hasSeparateHeads({ objective, model }: CclRecipe): boolean {
  const { intra, cycle } = losses(objective);
  return intra && cycle && model.heads === 'separate';
}

/** Whether the positives come from other frames. */
export function usesCandidates({ objective }: CclRecipe): boolean {
  return objective.kind !== 'moco' && !(objective.kind === 'moco-cycle' && objective.neighbour === 'as-positive');
}

/**
 * The recipe with the queue lengths that it leaves open, in the proportions of the official ones: the candidates for
 * neighbours are a quarter of the negatives, and all keys together are of half of the videos at most.
 *
 * @param videos number of training videos
 * @throws ChronotopeError `too-few-videos` when not even the shortest queues fit
 */
export function withQueueLengths(recipe: CclRecipe, videos: number): CclRecipe {
  const { queue, pretrain } = recipe;
  const isOpen = queue.intra === null && queue.cycle === null;
  const unit = 4 * pretrain.batch;
  const derived = Math.floor((QUEUE_SHARE * videos) / 1.25 / unit) * unit;
  if (isOpen && derived === 0) {
    throw new ChronotopeError('too-few-videos', `${videos} videos are too few for batches of ${pretrain.batch}`, {
      hint: `Take pretrain.batch=${Math.max(1, Math.floor(videos / 10))} or more videos, or give queue.intra and queue.cycle.`,
      details: { videos, batch: pretrain.batch },
    });
  }
  const known = queue.candidates === 'all' || queue.candidates === null ? 0 : queue.candidates;
  const intra = queue.intra ?? (queue.cycle === null ? derived : queue.cycle - known);
  const candidates = queue.candidates ?? Math.max(1, Math.floor(intra / unit)) * pretrain.batch;
  const cycle = queue.cycle ?? intra + (candidates === 'all' ? 0 : candidates);
  return { ...recipe, queue: { ...queue, intra, cycle, candidates } };
}

/**
 * Whether the videos are pictures that stand for them already, as in R2V2: images about as far apart as the recipe wants,
 * or further. Images of a film, a fraction of a second apart, are chosen from as from a video.
 */
export function arePictures({ views }: CclRecipe, videos: readonly ManifestEntry[]): boolean {
  return videos.every(
    ({ frames, imageFps }) => frames !== undefined && (imageFps ?? IMAGE_FRAME_RATE) * views.spacingSeconds <= 2,
  );
}

/** The recipe with every picture stored once, where videos are pictures: a frame rate would repeat or drop some. */
export function forPictures(recipe: CclRecipe, videos: readonly ManifestEntry[]): CclRecipe {
  return arePictures(recipe, videos) ? { ...recipe, frames: { ...recipe.frames, fps: null } } : recipe;
}

/** Lengths of the queues of a recipe that {@link withQueueLengths} has completed. */
export function queueLengths(recipe: CclRecipe): QueueLengths {
  const { intra, cycle } = recipe.queue;
  if (hasSeparateHeads(recipe)) return { intra: intra!, cycle: cycle! };
  return { intra: losses(recipe.objective).intra ? intra! : cycle!, cycle: null };
}

/**
 * What a training step does.
 *
 * @param videos number of training videos
 */
export function stepSettings(recipe: CclRecipe, videos: number): StepSettings {
  const { objective, pretrain, queue } = recipe;
  const used = losses(objective);
  const { intra, cycle } = queueLengths(recipe);
  return {
    intraWeight: used.intra ? objective.intraWeight : 0,
    cycleWeight: used.cycle ? objective.cycleWeight : 0,
    intraPositive: objective.kind.startsWith('moco') ? 'crop' : 'frame',
    temperature: objective.temperature,
    neighbourTemperature: objective.neighbourTemperature ?? objective.temperature,
    neighbour: weighing(objective),
    normaliseNeighbour: objective.normaliseNeighbour,
    includeSelf: objective.includeSelf,
    neighbourCandidates: queue.candidates === 'all' ? null : queue.candidates,
    cycleNegatives: objective.negatives === 'complement' ? 'complement' : { dissimilar: { gap: objective.gap } },
    maskSameVideo: queue.sameVideo === 'auto' ? videos < FEW * Math.max(intra, cycle ?? 0) : queue.sameVideo === 'mask',
    keyMomentum: pretrain.keyMomentum,
    shuffleBatchNorm: pretrain.shuffleBatchNorm,
  };
}

function weighing({ neighbour, nearest }: CclRecipe['objective']): StepSettings['neighbour'] {
  if (neighbour === 'soft') return 'all';
  return neighbour === 'top-k' ? { nearest } : neighbour;
}

/**
 * Says before a run starts what about queues, batches and videos cannot work.
 *
 * @param recipe completed by {@link withQueueLengths}
 * @param ids of the training videos
 * @throws ChronotopeError `one-video`, `duplicate-id`, `queue-larger-than-data`, `queue-not-divisible`,
 *   `queue-too-short`, `recipe-invalid`
 */
export function checkQueues(recipe: CclRecipe, ids: readonly string[]): void {
  const { batch } = recipe.pretrain;
  checkVideos(ids);
  const lengths = Object.entries(queueLengths(recipe)).filter((entry): entry is [string, number] => entry[1] !== null);
  for (const [name, length] of lengths) {
    requireDivisible(length, batch);
    if (length <= ids.length) continue;
    throw new ChronotopeError(
      'queue-larger-than-data',
      `the queue of ${length} keys (queue.${name}) would hold several of each of the ${ids.length} videos`,
      {
        hint: `Leave queue.intra, queue.cycle and queue.candidates null, or at most ${ids.length}.`,
        details: { queue: name, length, videos: ids.length },
      },
    );
  }
  if (losses(recipe.objective).cycle) checkCandidates(recipe, lengths.at(-1)![1]);
}

function checkCandidates({ queue, objective }: CclRecipe, length: number): void {
  const { candidates } = queue;
  const reserved = objective.negatives === 'dissimilar' ? objective.gap : 0;
  if (candidates === 'all') {
    if (objective.negatives === 'complement') return;
    throw new ChronotopeError('recipe-invalid', 'objective.negatives: dissimilar needs a number of queue.candidates', {
      hint: 'With queue.candidates: all, no entry is left to be dissimilar.',
    });
  }
  if (candidates! + reserved >= length) {
    throw new ChronotopeError(
      'queue-too-short',
      `${candidates} candidates${reserved > 0 ? ` and a gap of ${reserved}` : ''} leave no negatives in a queue of ${length}`,
      { hint: 'Make queue.candidates smaller or the queue longer.', details: { candidates, length } },
    );
  }
  if (objective.neighbour === 'top-k' && objective.nearest > candidates!) {
    throw new ChronotopeError('recipe-invalid', `objective.nearest: only ${candidates} candidates to choose from`, {
      hint: 'Make objective.nearest smaller or queue.candidates larger.',
    });
  }
}

/**
 * Says whether videos can be told apart at all.
 *
 * @throws ChronotopeError `one-video`, `duplicate-id`
 */
export function checkVideos(ids: readonly string[]): void {
  if (ids.length < 2) {
    throw new ChronotopeError('one-video', `contrast needs at least two training videos, there are ${ids.length}`, {
      hint: 'Cut a long video into parts, or add videos.',
      details: { videos: ids.length },
    });
  }
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) {
      throw new ChronotopeError('duplicate-id', `two training videos have the id "${id}"`, {
        hint: 'Give every video an id of its own: keys of one video must not count as another one.',
        details: { id },
      });
    }
    seen.add(id);
  }
}
