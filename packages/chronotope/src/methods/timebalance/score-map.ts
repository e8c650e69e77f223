import { meanOf } from '../../evaluation/bootstrap.js';

/** How temporal similarity scores become weights of the invariant teacher. */
export type ScoreMap = 'min-max' | 'identity' | 'rank' | 'inverted' | 'mean' | 'constant';

/**
 * Maps similarity scores to weights in [0, 1] (method note 3, "mapping to the weight").
 *
 * Scores of real networks lie close to 1, where they hardly weigh anything; `min-max` spreads them over the training
 * set.
 *
 * - `min-max`: (s − min) / (max − min) over the given videos; 1/2 for all when they are equal
 * - `identity`: s clipped to [0, 1]
 * - `rank`: position in the order of the scores, from 0 to 1; equal scores share their mean position
 * - `inverted`: 1 − `min-max`, a check that the weighting matters
 * - `mean`: the mean of `min-max` for every video: the same balance of the teachers, but not video by video
 * - `constant`: 1/2, the plain average of the teachers
 */
export function mapScores(scores: readonly number[], map: ScoreMap): number[] {
  switch (map) {
    case 'identity':
      return scores.map((score) => Math.min(1, Math.max(0, score)));
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
  const low = Math.min(...scores);
  const span = Math.max(...scores) - low;
  return scores.map((score) => (span === 0 ? 0.5 : (score - low) / span));
}

function ranks(scores: readonly number[]): number[] {
  if (scores.length === 1) return [0.5];
  const sorted = [...scores].sort((a, b) => a - b);
  return scores.map((score) => {
    const below = sorted.indexOf(score);
    const equal = sorted.lastIndexOf(score) - below + 1;
    return (below + (equal - 1) / 2) / (scores.length - 1);
  });
}

/**
 * How well a score separates two groups: the probability that a member of `high` scores above a member of `low`, ties
 * counting half (area under the ROC curve).
 */
export function areaUnderCurve(high: readonly number[], low: readonly number[]): number {
  const wins = high.flatMap((a) => low.map((b): number => (a > b ? 1 : a === b ? 0.5 : 0)));
  return wins.reduce((sum, win) => sum + win, 0) / wins.length;
}
