import { autocast, noGrad, type Tensor, tensor } from '@chronotope/torch';
import {
  type CycleLoss,
  type CycleLossOptions,
  type CycleSets,
  cycleLoss,
  neighbourAsPositiveLoss,
  splitBySimilarity,
} from '../../losses/cycle.js';
import { infoNce, infoNceLogits } from '../../losses/info-nce.js';
import type { StepDraws } from './draws.js';
import type { KeyQueue } from './key-queue.js';
import type { CclModel, Keys } from './model.js';

/** What a step is made of. */
export interface StepSettings {
  /** Weight of the loss within a video; 0 leaves it out. */
  intraWeight: number;
  /** λ, weight of the cycle loss; 0 leaves it out. */
  cycleWeight: number;
  /** The positive within a video: another frame (CCL), or a second crop of the same one (MoCo). */
  intraPositive: 'frame' | 'crop';
  temperature: number;
  neighbourTemperature: number;
  /** How the neighbour in other videos is made; `as-positive` is no cycle, see `neighbourAsPositiveLoss`. */
  neighbour: NonNullable<CycleLossOptions['weigh']> | 'as-positive';
  normaliseNeighbour: boolean;
  /** Makes the query itself one more candidate. */
  includeSelf: boolean;
  /** M, entries of the queue that a neighbour is made of; null: all of them, which then are the negatives too. */
  neighbourCandidates: number | null;
  /** Which entries are the negatives of the way back: those that were not drawn as candidates, or dissimilar ones. */
  cycleNegatives: 'complement' | { dissimilar: { gap: number } };
  /** Leaves out queue entries of a query's own video. */
  maskSameVideo: boolean;
  /** m of the momentum encoder. */
  keyMomentum: number;
  shuffleBatchNorm: boolean;
}

/** Images of N videos. */
export interface StepImages {
  /** `[N, 3, S, S]` */
  query: Tensor;
  /** `[N, 3, S, S]`: another crop of the same frame. */
  key: Tensor;
  /** `[Kc, N, 3, S, S]`: other frames; null without candidates. */
  candidates: Tensor | null;
  /** Numbers of the videos. */
  videos: readonly number[];
}

/** Losses of a step; null for one that is left out. */
export interface StepResult {
  loss: Tensor;
  intra: { loss: Tensor; logits: Tensor } | null;
  cycle: CycleLoss | null;
}

/** Which part of a step it is, where gradients are accumulated; the momentum encoder moves once in a step. */
export interface StepPart {
  isFirst: boolean;
  isLast: boolean;
}

const WHOLE: StepPart = { isFirst: true, isLast: true };

/**
 * One step of CCL up to the backward pass (note 1.2): queries, momentum update, keys, losses, and the new keys into the
 * queues. The keys of a step never are candidates or negatives of the same step, nor of another part of it. Losses are
 * computed in float32, also in mixed precision: their temperature multiplies what is rounded.
 */
export function cclStep(
  model: CclModel,
  images: StepImages,
  draws: StepDraws,
  settings: StepSettings,
  part = WHOLE,
): StepResult {
  const query = model.call(images.query);
  if (part.isFirst) model.updateKeyEncoder(settings.keyMomentum);
  const keys = model.encodeKeys(images.key, images.candidates, settings.shuffleBatchNorm ? draws.imageOrder : null);
  const videos = tensor(BigInt64Array.from(images.videos, BigInt), { device: images.query.device });
  const device = images.query.device.startsWith('cuda') ? 'cuda' : 'cpu';
  const losses = autocast({ device, enabled: false }, () => {
    const { intraWeight, cycleWeight } = settings;
    const intra = intraWeight === 0 ? null : intraLoss(model, query.intra, keys, videos, draws, settings);
    const cycle = cycleWeight === 0 ? null : crossVideoLoss(model, query.cycle, keys, videos, draws, settings);
    const terms = [intra?.loss.mul(intraWeight), cycle?.loss.mul(cycleWeight)];
    return { loss: terms.filter((term) => term !== undefined).reduce((sum, term) => sum.add(term)), intra, cycle };
  });
  model.hold(keys.key, videos);
  if (part.isLast) model.enqueueHeld();
  return losses;
}

/** Eq. 1: q·p against all of the queue. */
function intraLoss(
  { queue }: CclModel,
  query: Tensor,
  { key, candidates }: Keys,
  videos: Tensor,
  draws: StepDraws,
  { intraPositive, temperature, maskSameVideo }: StepSettings,
): { loss: Tensor; logits: Tensor } {
  const positives = intraPositive === 'crop' ? key.intra : chosenFrames(candidates!.intra, draws.intraPositive);
  const excluded = maskSameVideo ? queue.ofSameVideo(videos) : null;
  const logits = infoNceLogits(query, positives, queue.call(), { temperature, excluded });
  return { loss: infoNce(logits), logits };
}

/** Eq. 2 and 3: to the neighbour in other videos, and back. */
function crossVideoLoss(
  model: CclModel,
  query: Tensor,
  { key, candidates }: Keys,
  videos: Tensor,
  draws: StepDraws,
  settings: StepSettings,
): CycleLoss {
  const { temperature, neighbourTemperature, neighbour, normaliseNeighbour, includeSelf } = settings;
  const sets = cycleSets(model.cycleQueue ?? model.queue, query, videos, draws, settings);
  if (neighbour === 'as-positive') return neighbourAsPositiveLoss(query, sets, { temperature });
  const positives = chosenFrames(candidates!.cycle, draws.cyclePositive);
  return cycleLoss(query, positives, sets, {
    temperature,
    neighbourTemperature,
    weigh: neighbour,
    normalise: normaliseNeighbour,
    self: includeSelf ? key.cycle : null,
  });
}

/** Splits the queue into U, of which neighbours are made, and W, the negatives (note 2.3). */
function cycleSets(
  queue: KeyQueue,
  query: Tensor,
  videos: Tensor,
  { queueOrder }: StepDraws,
  { neighbourCandidates, cycleNegatives, maskSameVideo }: StepSettings,
): CycleSets {
  const excluded = maskSameVideo ? queue.ofSameVideo(videos) : null;
  if (cycleNegatives !== 'complement') {
    const { gap } = cycleNegatives.dissimilar;
    const candidates = neighbourCandidates ?? queue.length;
    return splitBySimilarity(query, queue.call(), { candidates, gap, excluded });
  }
  if (neighbourCandidates === null) {
    const keys = queue.call();
    return { candidates: keys, negatives: keys, excludedCandidates: excluded, excludedNegatives: excluded };
  }
  const order = tensor(BigInt64Array.from(queueOrder, BigInt), { device: query.device });
  const [u, w] = [
    order.narrow(0, 0, neighbourCandidates),
    order.narrow(0, neighbourCandidates, queue.length - neighbourCandidates),
  ];
  return {
    candidates: queue.keys.indexSelect(1, u),
    negatives: queue.keys.indexSelect(1, w),
    excludedCandidates: excluded?.indexSelect(1, u) ?? null,
    excludedNegatives: excluded?.indexSelect(1, w) ?? null,
  };
}

/** `[Kc, N, C]` and a frame for each video, to `[N, C]`. */
function chosenFrames(candidates: Tensor, chosen: readonly number[]): Tensor {
  return noGrad(() => {
    const places = tensor(BigInt64Array.from(chosen, BigInt), { device: candidates.device });
    return candidates.takeAlongDim(places.reshape([1, -1, 1]), { dim: 0 }).squeeze(0);
  });
}
