import { argmax } from '../evaluation/video-level.js';
import type { ClassifierResults, TestVideo } from './content.js';

/** A prediction worth showing. */
export interface ChosenPrediction {
  video: number;
  predicted: number;
  /** The class to compare with: the true one of a mistake, else the second most probable. */
  against: number;
  confidence: number;
}

/** The most confident mistakes, and the most confident right answers, one a class; of the first label draw. */
export function choosePredictions(
  { draws }: ClassifierResults,
  videos: readonly TestVideo[],
  most: { mistakes: number; successes: number },
): { mistakes: ChosenPrediction[]; successes: ChosenPrediction[] } {
  const predictions = videos
    .map(({ truth }, video) => {
      const probabilities = draws[0]![video]!;
      const predicted = argmax(probabilities);
      const against = predicted === truth ? secondOf(probabilities, predicted) : truth;
      return { video, predicted, against, confidence: probabilities[predicted]! };
    })
    .sort((a, b) => b.confidence - a.confidence);
  const isRight = ({ video, predicted }: ChosenPrediction) => videos[video]!.truth === predicted;
  const right = predictions.filter(isRight);
  const bestOfClass = right.filter(
    (one, index) => right.findIndex(({ predicted }) => predicted === one.predicted) === index,
  );
  return {
    mistakes: predictions.filter((one) => !isRight(one)).slice(0, most.mistakes),
    successes: bestOfClass.slice(0, most.successes),
  };
}

/** One video of each of `count` classes, spread over the list of classes. */
export function chooseQueries(videos: readonly TestVideo[], count: number): number[] {
  const firsts = videos.flatMap(({ truth }, video) =>
    videos.findIndex((other) => other.truth === truth) === video ? [video] : [],
  );
  const wanted = Math.min(count, firsts.length);
  return Array.from({ length: wanted }, (_, k) => firsts[Math.floor((k * firsts.length) / wanted)]!);
}

function secondOf(probabilities: Float32Array, best: number): number {
  return argmax(probabilities.map((value, index) => (index === best ? -1 : value)));
}
