/** Videos on which exactly one of two classifiers is right, and what they say of the difference. */
export interface McNemar {
  onlyFirst: number;
  onlySecond: number;
  /** Two-sided probability of so unequal counts, or more unequal ones, if both were equally good. */
  p: number;
}

/**
 * McNemar's test in its exact form (McNemar 1947): of the videos that only one classifier gets right, each would be the
 * first's with probability 1/2 if both were equally good.
 *
 * @param first whether the first classifier is right, for each video
 * @param second the same videos
 * @throws {RangeError} for different numbers of videos
 */
export function mcnemar(first: readonly boolean[], second: readonly boolean[]): McNemar {
  if (first.length !== second.length) throw new RangeError(`${first.length} videos against ${second.length}`);
  const onlyFirst = first.filter((right, video) => right && !second[video]).length;
  const onlySecond = second.filter((right, video) => right && !first[video]).length;
  const p = Math.min(1, 2 * binomialTail(onlyFirst + onlySecond, Math.min(onlyFirst, onlySecond)));
  return { onlyFirst, onlySecond, p };
}

/** P(X ≤ most) of X ~ Binomial(n, 1/2). */
function binomialTail(n: number, most: number): number {
  let logTerm = -n * Math.LN2;
  let tail = Math.exp(logTerm);
  for (let k = 1; k <= most; k++) {
    logTerm += Math.log((n - k + 1) / k);
    tail += Math.exp(logTerm);
  }
  return tail;
}
