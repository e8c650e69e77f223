/** Which of two values of a metric is the better one. */
export type Better = 'higher' | 'lower';

/** The best value of a metric so far, as plain values. */
export interface Best {
  /** The step after which it was measured; 0 before there was one. */
  step: number;
  /** Null before there was one. */
  value: number | null;
  /** Measurements since then, none of them better. */
  since: number;
}

/** Takes one more measurement. Only a finite value can be the best. */
export function judge(best: Best | undefined, { step, value }: { step: number; value: number }, better: Better): Best {
  const { step: bestStep = 0, value: bestValue = null, since = 0 } = best ?? {};
  const isBetter = bestValue === null || (better === 'higher' ? value > bestValue : value < bestValue);
  return Number.isFinite(value) && isBetter
    ? { step, value, since: 0 }
    : { step: bestStep, value: bestValue, since: since + 1 };
}
