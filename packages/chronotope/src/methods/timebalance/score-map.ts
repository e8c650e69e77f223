import { extent, meanOf } from '../../evaluation/bootstrap.js';

/** How temporal similarity scores become weights of the invariant teacher. */
export type ScoreMap = 'min-max' | 'identity' | 'half-shifted' | 'rank' | 'inverted' | 'mean' | 'constant';

/**
 * Maps similarity scores to weights in [0, 1] (method note 3, "mapping to the weight").
 *
 * Scores of real networks lie close to 1, where they hardly weigh anything; `min-max` spreads them over the training
 * set.
 *
 * - `min-max`: (s − min) / (max − min) over the given videos; 1/2 for all when they are equal
 * - `identity`: s clipped to [0, 1]
 * - `half-shifted`: (s + 1) / 2, for cosines that reach below 0: from [−1, 1] to [0, 1]
 * - `rank`: position in the order of the scores, from 0 to 1; equal scores share their mean position
 * - `inverted`: 1 − `min-max`, a check that the weighting matters
 * - `mean`: the mean of `min-max` for every video: the same balance of the teachers, but not video by video
 * - `constant`: 1/2, the plain average of the teachers
 */
export function mapScores(scores: readonly number[], map: ScoreMap): number[] {
  switch (map) {
    case 'identity':
      return scores.map((score) => Math.min(1, Math.max(0, score)));
    case 'half-shifted':
      return scores.map((score) => Math.min(1, Math.max(0, (score + 1) / 2)));
    case 'constant':
      return scores.map(() => 0.5);
    case 'min-max':
      return minMax(scores);
    case 'inverted':
      return minMax(scores).map((weight) => 1 - weight);
    case 'mean': {
      const mean = meanOf(minMax(scores));
      return scores.map(() => mean);
    }
    case 'rank':
      return ranks(scores);
  }
}

function minMax(scores: readonly number[]): number[] {
  const [low, high] = extent(scores);
  const span = high - low;
  return scores.map((score) => (span === 0 ? 0.5 : (score - low) / span));
}

function ranks(scores: readonly number[]): number[] {
  if (scores.length === 1) return [0.5];
  const place = meanPlaces(scores);
  return scores.map((score) => place.get(score)! / (scores.length - 1));
}

/**
 * How well a score separates two groups: the probability that a member of `high` scores above a member of `low`, ties
 * counting half (area under the ROC curve, from the sum of ranks as in the Mann-Whitney test).
 */
export function areaUnderCurve(high: readonly number[], low: readonly number[]): number {
  const place = meanPlaces([...high, ...low]);
  const sum = high.reduce((total, score) => total + place.get(score)!, 0);
  return (sum - (high.length * (high.length - 1)) / 2) / (high.length * low.length);
}

/** The place of each value in their order, from 0; equal ones share the mean of theirs. */
function meanPlaces(values: readonly number[]): Map<number, number> {
  const sorted = Float64Array.from(values).sort();
  const places = new Map<number, number>();
  for (let first = 0, end = 0; first < sorted.length; first = end) {
    while (end < sorted.length && sorted[end] === sorted[first]) end++;
    places.set(sorted[first]!, (first + end - 1) / 2);
  }
  return places;
}
