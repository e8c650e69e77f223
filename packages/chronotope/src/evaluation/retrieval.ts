import type { Tensor } from '@chronotope/torch';
import { rankGallery } from './nearest-neighbours.js';

/** How well one query found gallery items of its class. */
export interface QueryResult {
  /** Place of the first item of the query's class, from 1; Infinity if the gallery has none. */
  firstHit: number;
  /** Average precision over the whole ranking; 0 if the gallery has no item of the class. */
  averagePrecision: number;
}

/**
 * Ranks the whole gallery for each query by cosine similarity. A query counts as found at k when one of its k nearest
 * items has its class (R@k, as the retrieval tables of TCLR and CCL do); the average precision is the mean, over the
 * items of its class, of the share of right items up to that place.
 *
 * @param queries features `[Q, D]` and the class of each
 * @param gallery features `[G, D]` and the class of each
 */
export function retrieve(
  queries: { features: Tensor; labels: readonly number[] },
  gallery: { features: Tensor; labels: readonly number[] },
): QueryResult[] {
  const results: QueryResult[] = [];
  rankGallery(queries.features, gallery.features, gallery.labels.length, (query, items) => {
    let [hits, precisions, firstHit] = [0, 0, Number.POSITIVE_INFINITY];
    for (const [place, item] of items.entries()) {
      if (gallery.labels[item] !== queries.labels[query]) continue;
      hits++;
      precisions += hits / (place + 1);
      firstHit = Math.min(firstHit, place + 1);
    }
    results.push({ firstHit, averagePrecision: hits === 0 ? 0 : precisions / hits });
  });
  return results;
}

/** For each query 1 if it was found among its k nearest items, else 0. The mean is R@k. */
export function foundAt(results: readonly QueryResult[], k: number): number[] {
  return results.map(({ firstHit }) => (firstHit <= k ? 1 : 0));
}
