import { cat, nn, noGrad, softmax, type Tensor, zerosLike } from '@chronotope/torch';

/** Settings of {@link softNeighbours}. */
export interface SoftNeighbourOptions {
  /** τ_nn: towards 0 the nearest candidate alone, towards infinity the mean of all. Default 0.07. */
  temperature?: number;
  /**
   * Which candidates share the weight: all (CCL), the k nearest, or the nearest alone. `hard` goes forward with the
   * nearest one and backward as if soft (straight-through), because the choice itself has no gradient; not in the paper.
   */
  weigh?: 'all' | { nearest: number } | 'hard';
  /** Candidates that are none, bool `[N, M]`. */
  excluded?: Tensor | null;
  /** Makes the neighbours unit vectors, as the published code does; the paper's figure shows the plain sum. Default true. */
  normalise?: boolean;
  /**
   * Keys of the queries, `[N, C]`: makes the query itself one more candidate, in column 0, whose score is query · key
   * (an option of the published code, off in its experiments).
   */
  self?: Tensor | null;
}

/** What {@link softNeighbours} finds. */
export interface SoftNeighbours {
  /** q̂, `[N, C]`. */
  neighbours: Tensor;
  /** α, `[N, M]`, or `[N, 1 + M]` with the query itself in front; each row sums to 1. */
  weights: Tensor;
}

/**
 * Soft nearest neighbours (CCL, Eq. 2): α = softmax(q·u / τ_nn) over the candidates, q̂ = Σ α u, scaled to unit length.
 *
 * The candidates are constants, so the gradient reaches the queries through α only.
 *
 * @param queries `[N, C]` unit vectors
 * @param candidates `[C, M]` unit columns
 */
export function softNeighbours(
  queries: Tensor,
  candidates: Tensor,
  { temperature = 0.07, weigh = 'all', excluded = null, normalise = true, self = null }: SoftNeighbourOptions = {},
): SoftNeighbours {
  const similarities = queries.matmul(candidates);
  const allowed = excluded ? similarities.maskedFill(excluded, Number.NEGATIVE_INFINITY) : similarities;
  const scores = self ? cat([queries.mul(self).sum(1, { keepdim: true }), allowed], { dim: 1 }) : allowed;
  const weights = attention(scores.div(temperature), weigh);
  const ofCandidates = self ? weights.narrow(1, 1, weights.shape[1]! - 1) : weights;
  const sum = ofCandidates.matmul(candidates.transpose(0, 1));
  const whole = self ? sum.add(queries.mul(weights.narrow(1, 0, 1))) : sum;
  return { neighbours: normalise ? nn.functional.normalize(whole, { dim: 1 }) : whole, weights };
}

function attention(logits: Tensor, weigh: NonNullable<SoftNeighbourOptions['weigh']>): Tensor {
  if (weigh === 'all') return softmax(logits, 1);
  if (weigh === 'hard') {
    const soft = softmax(logits, 1);
    const nearest = noGrad(() => nearestMask(logits, 1).to({ dtype: logits.dtype }).sub(soft));
    return soft.add(nearest);
  }
  const others = nearestMask(logits, weigh.nearest).logicalNot();
  return softmax(logits.maskedFill(others, Number.NEGATIVE_INFINITY), 1);
}

/**
 * Marks the k largest entries of each row.
 *
 * @param values `[N, M]`
 * @param k at most M
 * @returns bool `[N, M]`
 */
export function nearestMask(values: Tensor, k: number): Tensor {
  return noGrad(() => {
    const [, places] = values.topk(k, { dim: 1 });
    return zerosLike(values, { dtype: 'bool' }).scatter_(1, places, 1);
  });
}
