import { groupBy } from '../data/group-by.js';
import { randomStream } from '../random.js';

/** An estimate and the ends of its confidence interval. */
export interface Interval {
  value: number;
  low: number;
  high: number;
}

export interface BootstrapOptions {
  /** Share of repetitions of the whole experiment whose interval would hold the true value. Default 0.95. */
  level?: number;
  /** How many data sets are drawn. Default 2000. */
  resamples?: number;
  /** Default 0. */
  seed?: number;
  /**
   * For each video the name of what it shares with others, such as the filmed person; `undefined` for a video of its
   * own. Whole groups are drawn then, because the videos of one are no independent evidence. Default: no groups.
   */
  groups?: readonly (string | undefined)[];
}

/** What {@link bootstrapMeans} does when nothing else is said. */
export const BOOTSTRAP_DEFAULTS = { level: 0.95, resamples: 2000, seed: 0 } as const;

/**
 * Percentile bootstrap of means over videos (Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13):
 * data sets of the same size are drawn with replacement, and the middle `level` of their means is the interval.
 *
 * All columns are averaged over the same drawn data sets. The difference of two classifiers on the same videos therefore
 * is a column like any other (the paired bootstrap): give the per-video differences.
 *
 * @param columns one number a video each, in the same order of videos
 * @throws {RangeError} for columns of different lengths or without videos, and for a level outside (0, 1)
 */
export function bootstrapMeans(columns: readonly ArrayLike<number>[], options: BootstrapOptions = {}): Interval[] {
  const { level, resamples, seed } = { ...BOOTSTRAP_DEFAULTS, ...options };
  const videos = columns[0]?.length ?? 0;
  if (videos === 0 || columns.some(({ length }) => length !== videos)) {
    throw new RangeError(
      `columns of ${columns.map(({ length }) => length).join(', ')} videos: need the same number, not 0`,
    );
  }
  if (!(level > 0 && level < 1)) throw new RangeError(`level ${level}: must lie between 0 and 1`);

  const units = drawnUnits(videos, options.groups);
  const sizes = units.map(({ length }) => length);
  const sums = columns.map((column) => units.map((unit) => unit.reduce((sum, video) => sum + column[video]!, 0)));
  const means = columns.map(() => new Float64Array(resamples));
  const random = randomStream(seed, 'bootstrap');
  const totals = new Float64Array(columns.length);
  for (let resample = 0; resample < resamples; resample++) {
    totals.fill(0);
    let drawn = 0;
    for (let draw = 0; draw < units.length; draw++) {
      const unit = random.int(units.length);
      drawn += sizes[unit]!;
      for (let column = 0; column < columns.length; column++) totals[column]! += sums[column]![unit]!;
    }
    for (let column = 0; column < columns.length; column++) means[column]![resample] = totals[column]! / drawn;
  }
  return columns.map((column, index) => {
    const sorted = means[index]!.sort();
    const tail = (1 - level) / 2;
    return { value: meanOf(column), low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
  });
}

/**
 * {@link bootstrapMeans} for shares of videos, such as accuracies. Where all videos agree (nothing or everything right)
 * every drawn data set does too and the bootstrap would claim certainty; the ends are then those of Clopper and Pearson
 * (1934): the true share of everything right is at least (α/2)^(1/n), α = 1 - level, n the number of groups or videos.
 *
 * @param columns numbers in [0, 1], one a video
 */
export function bootstrapShares(columns: readonly ArrayLike<number>[], options: BootstrapOptions = {}): Interval[] {
  const { level } = { ...BOOTSTRAP_DEFAULTS, ...options };
  return bootstrapMeans(columns, options).map((interval, index) => {
    const column = Array.from(columns[index]!);
    const agreed = column.every((value) => value === column[0]) ? column[0] : undefined;
    const slack = 1 - ((1 - level) / 2) ** (1 / drawnUnits(column.length, options.groups).length);
    if (agreed === 1) return { ...interval, low: 1 - slack };
    if (agreed === 0) return { ...interval, high: slack };
    return interval;
  });
}

/** The videos that are drawn together. */
function drawnUnits(videos: number, groups: readonly (string | undefined)[] = []): number[][] {
  const all = Array.from({ length: videos }, (_, video) => video);
  const alone = all.filter((video) => groups[video] === undefined).map((video) => [video]);
  return [...groupBy(all, (video) => groups[video]).values(), ...alone];
}

/** Linear interpolation between the order statistics. */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!);
}

/** The mean of some numbers; NaN without any. */
export function meanOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
