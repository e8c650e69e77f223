import type { Tensor } from '@chronotope/torch';

/** How well items of one kind find their counterparts among items of another. */
export interface CrossModalResult {
  /** Share of queries with a counterpart among the best k, by k. */
  recall: { k: number; value: number }[];
  /** Place of the first counterpart, from 1: the median over the queries. */
  medianRank: number;
}

/**
 * For each query the place of its best counterpart in the ranking of all items by cosine, from 1. Of items with equal
 * cosines the counterpart comes last, so that features which are all the same find nothing.
 *
 * @param queries `[Q, E]`, of length 1
 * @param items `[G, E]`, of length 1
 * @param keys what counts as a counterpart: an item whose key is that of the query
 */
export function counterpartRanks(
  queries: Tensor,
  items: Tensor,
  keys: { queries: readonly string[]; items: readonly string[] },
): number[] {
  const width = keys.items.length;
  const cosines = queries.matmul(items.transpose(0, 1)).data() as Float32Array;
  return keys.queries.map((key, query) => {
    const row = cosines.subarray(query * width, (query + 1) * width);
    let best = Number.NEGATIVE_INFINITY;
    for (const [item, cosine] of row.entries()) if (keys.items[item] === key) best = Math.max(best, cosine);
    let rank = 1;
    for (const [item, cosine] of row.entries()) if (keys.items[item] !== key && cosine >= best) rank++;
    return rank;
  });
}

/** Recall and median rank of {@link counterpartRanks}. */
export function summariseRanks(ranks: readonly number[], counts: readonly number[] = [1, 5, 10]): CrossModalResult {
  const sorted = ranks.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return {
    recall: counts.map((k) => ({ k, value: ranks.filter((rank) => rank <= k).length / ranks.length })),
    medianRank: (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2,
  };
}
