import { type Bootstrap, type Interval, meanOf } from './bootstrap.js';
import { type Calibration, calibration } from './calibration.js';
import { type McNemar, mcnemar } from './mcnemar.js';
import { type Accuracy, accuracy, rightAt, trueClasses, type VideoPrediction } from './video-level.js';

/** All that is measured of one classifier on the test videos. */
export interface Recognition extends Accuracy {
  top1Interval: Interval;
  top5Interval: Interval;
  /** `null` where the scores are no probabilities. */
  calibration: Calibration | null;
}

/** Measures one classifier. */
export function recognition(
  predictions: readonly VideoPrediction[],
  truth: ReadonlyMap<string, number>,
  classes: readonly string[],
  { bootstrap, scores = 'probabilities' }: { bootstrap: Bootstrap; scores?: 'probabilities' | 'ranking' },
): Recognition {
  const labels = trueClasses(predictions, truth);
  return {
    ...accuracy(predictions, truth, classes),
    top1Interval: bootstrap.share(rightAt(predictions, labels, 1)),
    top5Interval: bootstrap.share(rightAt(predictions, labels, 5)),
    calibration: scores === 'ranking' ? null : calibration(predictions, labels),
  };
}

/**
 * A share of videos, such as top-1 of one kind of classifier, averaged over its label draws. The interval says how far
 * another set of test videos would move the mean; the spread over the draws is not in it.
 *
 * @param right for each draw a number in [0, 1] for each video, the same videos in the same order
 */
export function meanOverDraws(right: readonly (readonly number[])[], bootstrap: Bootstrap): Interval {
  return bootstrap.share(videoMeans(right));
}

/** How two classifiers differ on the same videos. */
export interface Difference {
  /** Top-1 of the first minus top-1 of the second, mean over the label draws; paired bootstrap over videos. */
  top1: Interval;
  /** McNemar's test in each draw. */
  mcnemar: McNemar[];
}

/** Compares two classifiers draw by draw; arguments as for {@link meanOverDraws}. */
export function difference(
  first: readonly (readonly number[])[],
  second: readonly (readonly number[])[],
  bootstrap: Bootstrap,
): Difference {
  const isRight = (column: readonly number[]) => column.map((value) => value === 1);
  return {
    top1: bootstrap.difference(videoMeans(first), videoMeans(second)),
    mcnemar: first.map((column, draw) => mcnemar(isRight(column), isRight(second[draw]!))),
  };
}

function videoMeans(draws: readonly (readonly number[])[]): number[] {
  return draws[0]!.map((_, video) => meanOf(draws.map((draw) => draw[video]!)));
}
