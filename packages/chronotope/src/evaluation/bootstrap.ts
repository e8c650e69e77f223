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

/**
 * Percentile bootstrap of means over videos (Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13):
 * data sets of the same size are drawn with replacement, and the middle `level` of their means is the interval.
 *
 * The data sets are drawn once, so all measures of one `Bootstrap` are taken on the same ones. That is what makes the
 * interval of a difference a paired one. They take 2 bytes a data set and video.
 */
export class Bootstrap {
  /** What an interval is made of; the same numbers give the same interval. */
  readonly settings: { level: number; resamples: number; seed: number };
  readonly #videos: number;
  readonly #units: readonly (readonly number[])[];
  /** `[resamples × units]`: how often each data set has each unit. */
  readonly #counts: Uint16Array;

  /**
   * @param videos how many videos there are
   * @throws {RangeError} without videos, with groups for another number of them, and for a level outside (0, 1)
   */
  constructor(videos: number, { level = 0.95, resamples = 2000, seed = 0, groups }: BootstrapOptions = {}) {
    if (videos < 1) throw new RangeError('no videos to draw from');
    if (groups && groups.length !== videos) throw new RangeError(`groups of ${groups.length} videos for ${videos}`);
    if (!(level > 0 && level < 1)) throw new RangeError(`level ${level}: must lie between 0 and 1`);
    this.settings = { level, resamples, seed };
    this.#videos = videos;
    this.#units = drawnUnits(videos, groups);
    const { length } = this.#units;
    const random = randomStream(seed, 'bootstrap');
    this.#counts = new Uint16Array(resamples * length);
    for (let start = 0; start < this.#counts.length; start += length) {
      for (let draw = 0; draw < length; draw++) this.#counts[start + random.int(length)]!++;
    }
  }

  /**
   * The mean of one number a video.
   *
   * @throws {RangeError} for another number of videos
   */
  mean(values: ArrayLike<number>): Interval {
    if (values.length !== this.#videos) throw new RangeError(`${values.length} values for ${this.#videos} videos`);
    const sums = Float64Array.from(this.#units, (unit) => unit.reduce((sum, video) => sum + values[video]!, 0));
    const sizes = Float64Array.from(this.#units, ({ length }) => length);
    const means = Float64Array.from({ length: this.settings.resamples }, (_, resample) => {
      const counts = this.#counts.subarray(resample * sums.length, (resample + 1) * sums.length);
      let [total, drawn] = [0, 0];
      for (let unit = 0; unit < counts.length; unit++) {
        total += counts[unit]! * sums[unit]!;
        drawn += counts[unit]! * sizes[unit]!;
      }
      return total / drawn;
    }).sort();
    const tail = (1 - this.settings.level) / 2;
    return { value: meanOf(values), low: quantile(means, tail), high: quantile(means, 1 - tail) };
  }

  /**
   * {@link mean} for shares of videos, such as accuracies. Where all videos agree (nothing or everything right) every
   * drawn data set does too and the bootstrap would claim certainty; the ends are then those of Clopper and Pearson
   * (1934): the true share of everything right is at least (α/2)^(1/n), α = 1 - level, n the number of groups or videos.
   *
   * @param values numbers in [0, 1], one a video
   */
  share(values: ArrayLike<number>): Interval {
    const interval = this.mean(values);
    const least = ((1 - this.settings.level) / 2) ** (1 / this.#units.length);
    const all = (agreed: number) => Array.from(values).every((value) => value === agreed);
    if (all(1)) return { ...interval, low: least };
    if (all(0)) return { ...interval, high: 1 - least };
    return interval;
  }

  /** mean(first) - mean(second) on the same videos: the paired bootstrap. */
  difference(first: ArrayLike<number>, second: ArrayLike<number>): Interval {
    return this.mean(Float64Array.from(first, (value, video) => value - second[video]!));
  }
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

/** The least and the greatest of some numbers, however many; infinities without any. */
export function extent(values: Iterable<number>): [least: number, greatest: number] {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return [least, greatest];
}
