import { noGrad, type Tensor } from '@chronotope/torch';
import { infoNce, infoNceLogits } from './info-nce.js';
import { nearestMask, type SoftNeighbourOptions, softNeighbours } from './soft-neighbour.js';

/** Where the forward step of a cycle may go, and what the way back must not lead to. */
export interface CycleSets {
  /** U, `[C, M]` unit columns: frames of other videos that the neighbour is made of. */
  candidates: Tensor;
  /** W, `[C, K]` unit columns: negatives of the way back. */
  negatives: Tensor;
  /** Columns of `candidates` that a query may not use, bool `[N, M]`. */
  excludedCandidates?: Tensor | null;
  /** The same for `negatives`, bool `[N, K]`. */
  excludedNegatives?: Tensor | null;
}

/** Settings of {@link cycleLoss}. */
export interface CycleLossOptions extends Pick<SoftNeighbourOptions, 'weigh' | 'normalise' | 'self'> {
  /** τ of the way back. Default 0.07. */
  temperature?: number;
  /** τ_nn of the neighbour. Default: the same. */
  neighbourTemperature?: number;
}

/** The cycle loss and what it was made of. */
export interface CycleLoss {
  /** Mean over the queries; a scalar. */
  loss: Tensor;
  /** `[N, 1 + K]`: similarity of the neighbour to the positive and to the negatives, over the temperature. */
  logits: Tensor;
  /** α, the weights of the candidates. */
  weights: Tensor;
}

/**
 * Cross-video cycle-consistency (CCL, Eq. 3): from each query to its soft nearest neighbour q̂ among frames of other
 * videos, and from there back to a frame p of the query's own video instead of to some other one:
 *
 *   L = −log exp(q̂·p / τ) / (exp(q̂·p / τ) + Σ_{u∈W} exp(q̂·u / τ))
 *
 * @param queries `[N, C]` unit vectors
 * @param positives `[N, C]` unit vectors without gradient: another frame of each query's video
 */
export function cycleLoss(
  queries: Tensor,
  positives: Tensor,
  { candidates, negatives, excludedCandidates = null, excludedNegatives = null }: CycleSets,
  options: CycleLossOptions = {},
): CycleLoss {
  const { temperature = 0.07, neighbourTemperature = temperature, ...neighbour } = options;
  const { neighbours, weights } = softNeighbours(queries, candidates, {
    ...neighbour,
    temperature: neighbourTemperature,
    excluded: excludedCandidates,
  });
  const logits = infoNceLogits(neighbours, positives, negatives, { temperature, excluded: excludedNegatives });
  return { loss: infoNce(logits), logits, weights };
}

/**
 * The nearest candidate as the *positive* of the query itself: no cycle, but what NNCLR (Dwibedi et al., ICCV 2021) does
 * with the same queue. For comparison with {@link cycleLoss}, whose hard neighbour would have no gradient.
 *
 *   L = −log exp(q·u* / τ) / (exp(q·u* / τ) + Σ_{u∈W} exp(q·u / τ)),  u* = argmax_{u∈U} q·u
 */
export function neighbourAsPositiveLoss(
  queries: Tensor,
  { candidates, negatives, excludedCandidates = null, excludedNegatives = null }: CycleSets,
  { temperature = 0.07 }: Pick<CycleLossOptions, 'temperature'> = {},
): CycleLoss {
  const hard = noGrad(() =>
    softNeighbours(queries, candidates, { weigh: 'hard', excluded: excludedCandidates, normalise: false }),
  );
  const logits = infoNceLogits(queries, hard.neighbours, negatives, { temperature, excluded: excludedNegatives });
  return { loss: infoNce(logits), logits, weights: hard.weights };
}

/**
 * Splits the whole queue by similarity, for each query on its own: its `candidates` nearest entries make the neighbour,
 * the next `gap` serve nothing (they may show the same category), the remaining, dissimilar ones are the negatives. Not in
 * the paper; readers ask for it.
 *
 * @param queries `[N, C]`
 * @param queue `[C, K]`
 * @param options.excluded entries of a query's own video, bool `[N, K]`
 */
export function splitBySimilarity(
  queries: Tensor,
  queue: Tensor,
  { candidates, gap = 0, excluded = null }: { candidates: number; gap?: number; excluded?: Tensor | null },
): CycleSets {
  return noGrad(() => {
    const similarities = queries.matmul(queue);
    const allowed = excluded ? similarities.maskedFill(excluded, Number.NEGATIVE_INFINITY) : similarities;
    const notNearest = nearestMask(allowed, candidates).logicalNot();
    const notFar = nearestMask(allowed, candidates + gap);
    return {
      candidates: queue,
      negatives: queue,
      excludedCandidates: excluded ? notNearest.logicalOr(excluded) : notNearest,
      excludedNegatives: excluded ? notFar.logicalOr(excluded) : notFar,
    };
  });
}
