import type { Interval } from '../evaluation/bootstrap.js';

/** Standard normal quantile of 97.5 %. */
const Z = 1.96;

/**
 * Interval of an area under the ROC curve (Hanley and McNeil, Radiology 1982).
 *
 * @param high,low members of the two groups
 */
export function areaInterval(area: number, high: number, low: number): Interval {
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
