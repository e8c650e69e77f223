import type { Tensor } from '@chronotope/torch';
import { nearestNeighbours } from '../evaluation/nearest-neighbours.js';

/** Another video and how similar its features are. */
export interface Neighbour {
  index: number;
  /** Cosine of the angle between the features, 1 for the same direction. */
  similarity: number;
}

/**
 * For each video the `count` others with the most similar features, best first; fewer where there are no more.
 *
 * @param features `[V, D]`
 */
export function otherNeighbours(features: Tensor, count: number): Neighbour[][] {
  const videos = features.shape[0]!;
  // One more than wanted, because each video is found among its own neighbours.
  const { k, indices, similarities } = nearestNeighbours(features, features, Math.min(count + 1, videos));
  return Array.from({ length: videos }, (_, video) =>
    Array.from({ length: k }, (_, rank) => ({
      index: indices[video * k + rank]!,
      similarity: similarities[video * k + rank]!,
    }))
      .filter(({ index }) => index !== video)
      .slice(0, count),
  );
}
