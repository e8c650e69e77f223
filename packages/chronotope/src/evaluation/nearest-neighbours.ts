import { nn, scope, type Tensor, tensor } from '@chronotope/torch';

/** Queries that are compared with the whole gallery at a time, to bound the memory. */
const BLOCK = 512;

/** The gallery's nearest items of each query, nearest first, row after row. */
export interface Neighbours {
  k: number;
  /** `[Q × k]` rows of the gallery. */
  indices: Int32Array;
  /** `[Q × k]` cosines. */
  similarities: Float32Array;
}

/**
 * The k nearest gallery items of each query by cosine similarity.
 *
 * @param queries `[Q, D]`, of any length; they are scaled to unit length here
 * @param gallery `[G, D]`
 * @throws {RangeError} for k outside 1..G
 */
export function nearestNeighbours(queries: Tensor, gallery: Tensor, k: number): Neighbours {
  const indices = new Int32Array(queries.shape[0]! * k);
  const similarities = new Float32Array(queries.shape[0]! * k);
  rankGallery(queries, gallery, k, (query, items, cosines) => {
    indices.set(items, query * k);
    similarities.set(cosines, query * k);
  });
  return { k, indices, similarities };
}

/**
 * Visits the queries in order, each with its k nearest gallery items by cosine similarity, nearest first; memory holds
 * the rankings of a block of queries only.
 *
 * @param queries `[Q, D]`
 * @param gallery `[G, D]`
 * @throws {RangeError} for k outside 1..G
 */
export function rankGallery(
  queries: Tensor,
  gallery: Tensor,
  k: number,
  visit: (query: number, items: Int32Array, cosines: Float32Array) => void,
): void {
  const [count, items] = [queries.shape[0]!, gallery.shape[0]!];
  if (!Number.isInteger(k) || k < 1 || k > items) throw new RangeError(`${k} neighbours of a gallery of ${items}`);
  scope(() => {
    const unitGallery = unit(gallery).transpose(0, 1);
    for (let start = 0; start < count; start += BLOCK) {
      const rows = Math.min(BLOCK, count - start);
      const [cosines, indices] = scope(() => {
        const [values, found] = unit(queries.narrow(0, start, rows))
          .matmul(unitGallery)
          .topk(k, { dim: 1 });
        return [values.data() as Float32Array, found.to({ dtype: 'int32' }).data() as Int32Array] as const;
      });
      for (let row = 0; row < rows; row++) {
        visit(start + row, indices.subarray(row * k, (row + 1) * k), cosines.subarray(row * k, (row + 1) * k));
      }
    }
  });
}

/** Rows of unit length. */
export function unit(features: Tensor): Tensor {
  return nn.functional.normalize(features, { dim: 1 });
}

/**
 * Weighted k-NN classification (Wu et al., "Unsupervised feature learning via non-parametric instance discrimination",
 * CVPR 2018, section 3.4; DINO and SVT use it too): each of the k nearest neighbours votes for its class with weight
 * exp(cosine / temperature), and a query's scores are divided by their sum.
 *
 * @param neighbours at least k of them a query
 * @param labels class of each gallery item
 * @returns `[Q][C]`
 */
export function knnScores(
  neighbours: Neighbours,
  labels: ArrayLike<number>,
  options: { k: number; classes: number; temperature?: number },
): Float32Array[] {
  const { k, classes, temperature = 0.07 } = options;
  if (k > neighbours.k) throw new RangeError(`k = ${k} votes, but only ${neighbours.k} neighbours are known`);
  return Array.from({ length: neighbours.indices.length / neighbours.k }, (_, query) => {
    const scores = new Float64Array(classes);
    const first = query * neighbours.k;
    // Relative to the nearest one, so that no temperature overflows.
    const nearest = neighbours.similarities[first]!;
    for (let rank = first; rank < first + k; rank++) {
      const label = labels[neighbours.indices[rank]!]!;
      scores[label]! += Math.exp((neighbours.similarities[rank]! - nearest) / temperature);
    }
    const sum = scores.reduce((total, score) => total + score, 0);
    return Float32Array.from(scores, (score) => score / sum);
  });
}

/**
 * Nearest-centroid classification: cosine between each query and the mean of each class's unit features. A class without
 * a gallery item gets -1, the least a cosine can be.
 *
 * @returns `[Q][C]`
 */
export function centroidScores(
  queries: Tensor,
  gallery: Tensor,
  labels: readonly number[],
  classes: number,
): Float32Array[] {
  return scope(() => {
    const members = new Float32Array(classes * labels.length);
    for (const [item, label] of labels.entries()) members[label * labels.length + item] = 1;
    const sums = tensor(members, { shape: [classes, labels.length] }).matmul(unit(gallery));
    const cosines = unit(queries).matmul(unit(sums).transpose(0, 1));
    const empty = Array.from({ length: classes }, (_, label) => !labels.includes(label));
    return cosines.unbind().map((row) => (row.data() as Float32Array).map((cosine, k) => (empty[k] ? -1 : cosine)));
  });
}
