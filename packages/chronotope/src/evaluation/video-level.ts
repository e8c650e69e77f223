import type { Tensor } from '@chronotope/torch';

/** Class probabilities of one video. */
export interface VideoPrediction {
  id: string;
  /** `[C]`, mean over the video's clips of the softmax. */
  probabilities: Float32Array;
}

/** How well a set of videos was recognised. */
export interface Accuracy {
  videos: number;
  /** Share of videos whose most probable class is right, in [0, 1]. */
  top1: number;
  perClass: { name: string; videos: number; top1: number }[];
  /** `confusion[truth][prediction]` counts videos. */
  confusion: number[][];
}

/**
 * Averages over the clips of each video (TimeBalance, method note 7).
 *
 * @param probabilities `[V × M, C]`; the M clips of a video lie side by side
 * @returns `[V, C]`
 */
export function meanOverClips(probabilities: Tensor, videos: number): Tensor {
  return probabilities.reshape([videos, -1, probabilities.shape[1]!]).mean(1);
}

/** The most probable classes, best first. */
export function topClasses(
  probabilities: ArrayLike<number>,
  classes: readonly string[],
  count: number,
): { name: string; confidence: number }[] {
  return classes
    .map((name, index) => ({ name, confidence: probabilities[index]! }))
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, count);
}

/** Video-level top-1 accuracy (TimeBalance, method note 7): arg-max of the averaged softmax, over videos. */
export function accuracy(
  predictions: readonly VideoPrediction[],
  truth: ReadonlyMap<string, number>,
  classes: readonly string[],
): Accuracy {
  const confusion = classes.map(() => classes.map(() => 0));
  for (const { id, probabilities } of predictions) {
    const label = truth.get(id);
    if (label === undefined) throw new RangeError(`no true class is known for the predicted video ${id}`);
    confusion[label]![argmax(probabilities)]!++;
  }
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const right = classes.map((_, label) => confusion[label]![label]!);
  const perClass = classes.map((name, label) => {
    const videos = sum(confusion[label]!);
    return { name, videos, top1: videos === 0 ? Number.NaN : right[label]! / videos };
  });
  return { videos: predictions.length, top1: sum(right) / predictions.length, perClass, confusion };
}

/** Index of the largest value; the first one among equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k]! > values[best]!) best = k;
  return best;
}
