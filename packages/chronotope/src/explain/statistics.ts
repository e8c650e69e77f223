/** An estimate and the range in which the true value lies with about 95 % confidence. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
}

/** Standard normal quantile of 97.5 %. */
const Z = 1.96;

/** Arithmetic mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Wilson's score interval (1927) of a share that was measured on `count` independent videos. It stays inside [0, 1] and
 * keeps a width when all or none were right.
 */
export function shareInterval(share: number, count: number): Estimate {
  const scale = 1 + Z ** 2 / count;
  const centre = (share + Z ** 2 / (2 * count)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / count + Z ** 2 / (4 * count ** 2));
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * Mean difference of two classifiers on the same videos, with the normal interval over videos: pairing removes what
 * makes a video hard for both.
 *
 * @param a share of the label draws in which each video was right, `b` the same of the other classifier
 */
export function pairedDifference(a: readonly number[], b: readonly number[]): Estimate {
  const differences = a.map((value, index) => value - b[index]!);
  const value = mean(differences);
  const variance = differences.reduce((sum, one) => sum + (one - value) ** 2, 0) / Math.max(1, a.length - 1);
  const half = Z * Math.sqrt(variance / a.length);
  return { value, low: value - half, high: value + half };
}

/**
 * Interval of an area under the ROC curve (Hanley and McNeil, Radiology 1982).
 *
 * @param high,low members of the two groups
 */
export function areaInterval(area: number, high: number, low: number): Estimate {
  const bothHigh = area / (2 - area);
  const bothLow = (2 * area ** 2) / (1 + area);
  const variance =
    (area * (1 - area) + (high - 1) * (bothHigh - area ** 2) + (low - 1) * (bothLow - area ** 2)) / (high * low);
  const half = Z * Math.sqrt(Math.max(0, variance));
  return { value: area, low: Math.max(0, area - half), high: Math.min(1, area + half) };
}

/** Values split into `count` groups of nearly equal size, the smallest first. */
export function quantileGroups<T>(items: readonly T[], by: (item: T) => number, count: number): T[][] {
  const sorted = [...items].sort((a, b) => by(a) - by(b));
  const bound = (group: number) => Math.round((group * sorted.length) / count);
  return Array.from({ length: count }, (_, group) => sorted.slice(bound(group), bound(group + 1)));
}
