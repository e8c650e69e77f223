import { nn, type Tensor, tensor } from '@chronotope/torch';

/** A view of the teacher and the view of the student that is to predict it. */
export type ViewPair = readonly [teacher: number, student: number];

/**
 * All pairs of different views. The teacher's G views are the first G of the student's V, so pair (i, i) would be one
 * view with itself (DINO, and SVT after it).
 *
 * @param options.sameView keep those pairs too (default false)
 */
export function viewPairs(
  teacherViews: number,
  studentViews: number,
  { sameView = false }: { sameView?: boolean } = {},
): ViewPair[] {
  return Array.from({ length: teacherViews }, (_, i) => i).flatMap((i) =>
    Array.from({ length: studentViews }, (_, j): ViewPair => [i, j]).filter(([, j]) => sameView || i !== j),
  );
}

/**
 * Cross-entropy of the student's predictions to the teacher's, mean over pairs of views and over videos:
 *
 *   1/|pairs| Σ_(i,j) mean_b ( −Σ_k P_i[b,k] log Q_j[b,k] )
 *
 * @param targets `[G, B, K]` probabilities P of the teacher, by view
 * @param logProbabilities `[V, B, K]` log Q of the student, by view; finite
 * @returns a scalar
 * @throws RangeError without pairs
 */
export function crossViewCrossEntropy(
  targets: Tensor,
  logProbabilities: Tensor,
  pairs: readonly ViewPair[] = viewPairs(targets.shape[0]!, logProbabilities.shape[0]!),
): Tensor {
  const scale = -1 / (requirePairs(pairs) * targets.shape[1]!);
  return targets
    .mul(summedOverPartners(targets, logProbabilities, pairs))
    .sum()
    .mul(scale);
}

/**
 * Half the sum of both Kullback-Leibler divergences, mean over pairs of views and over videos:
 *
 *   1/|pairs| Σ_(i,j) mean_b ½ [ KL(P_i ‖ Q_j) + KL(Q_j ‖ P_i) ] = 1/|pairs| Σ_(i,j) mean_b ½ Σ_k (P_i − Q_j)(log P_i − log Q_j)
 *
 * @param logTargets `[G, B, K]` log P of the teacher, by view; finite
 * @param logProbabilities `[V, B, K]` log Q of the student, by view; finite
 * @returns a scalar
 * @throws RangeError without pairs
 */
export function crossViewSymmetricKL(
  logTargets: Tensor,
  logProbabilities: Tensor,
  pairs: readonly ViewPair[] = viewPairs(logTargets.shape[0]!, logProbabilities.shape[0]!),
): Tensor {
  const scale = 1 / (2 * requirePairs(pairs) * logTargets.shape[1]!);
  const terms = pairs.map(([i, j]) => {
    const [p, q] = [logTargets.select(0, i), logProbabilities.select(0, j)];
    return p.exp().sub(q.exp()).mul(p.sub(q)).sum();
  });
  return terms.reduce((sum, term) => sum.add(term)).mul(scale);
}

/**
 * 1 − cosine of the teacher's and the student's features, mean over pairs of views and over videos: distillation without
 * outputs to agree on.
 *
 * @param teacher `[G, B, D]`, by view
 * @param student `[V, B, D]`, by view
 * @returns a scalar from 0 to 2
 * @throws RangeError without pairs
 */
export function crossViewCosineDistance(teacher: Tensor, student: Tensor, pairs?: readonly ViewPair[]): Tensor {
  const unit = (x: Tensor) => nn.functional.normalize(x, { dim: -1 });
  return crossViewCrossEntropy(unit(teacher), unit(student), pairs).add(1);
}

/** For each view i of the teacher Σ_j log Q_j over its partners, `[G, B, K]`: one matrix product for all pairs. */
function summedOverPartners({ shape }: Tensor, logProbabilities: Tensor, pairs: readonly ViewPair[]): Tensor {
  const [teacherViews, studentViews] = [shape[0]!, logProbabilities.shape[0]!];
  const isPair = new Float32Array(teacherViews * studentViews);
  for (const [i, j] of pairs) isPair[i * studentViews + j]! += 1;
  const { dtype, device } = logProbabilities;
  const matrix = tensor(isPair, { shape: [teacherViews, studentViews], device }).to({ dtype });
  return matrix.matmul(logProbabilities.reshape([studentViews, -1])).reshape(shape);
}

/** Their number. */
function requirePairs({ length }: readonly ViewPair[]): number {
  if (length > 0) return length;
  throw new RangeError('there are no pairs of views to compare: one view cannot teach itself');
}
