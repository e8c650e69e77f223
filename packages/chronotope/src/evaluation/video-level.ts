import { softmax, type Tensor } from '@chronotope/torch';

/** Class probabilities of one video. */
export interface VideoPrediction {
  id: string;
  /** `[C]`, averaged over the video's clips. */
  probabilities: Float32Array;
}

/** How well a set of videos was recognised. */
export interface Accuracy {
  videos: number;
  /** Share of videos whose most probable class is right, in [0, 1]. */
  top1: number;
  /** Share of videos whose class is among the five most probable ones; with up to five classes it says nothing. */
  top5: number;
  perClass: { name: string; videos: number; top1: number }[];
  /** `confusion[truth][prediction]` counts videos. */
  confusion: number[][];
}

/** What is averaged over the clips of a video: the softmax (official), or the logits before it. */
export const CLIP_AVERAGES = ['probabilities', 'logits'] as const;
export type ClipAverage = (typeof CLIP_AVERAGES)[number];

/** `[M, V, …]` to `[V × M, …]`: the clips of a video side by side. */
export function videoMajor(clips: Tensor): Tensor {
  return clips.transpose(0, 1).flatten({ startDim: 0, endDim: 1 });
}

/**
 * Class probabilities of V videos with M clips each.
 *
 * @param logits `[V × M, C]`; the M clips of a video lie side by side
 * @returns `[V, C]`
 */
export function videoProbabilities(logits: Tensor, videos: number, average: ClipAverage): Tensor {
  return average === 'probabilities'
    ? meanOverClips(softmax(logits, 1), videos)
    : softmax(meanOverClips(logits, videos), 1);
}

/**
 * Averages over the clips of each video (TimeBalance, method note 7).
 *
 * @param values `[V × M, C]`, such as probabilities or features; the M clips of a video lie side by side
 * @returns `[V, C]`
 */
export function meanOverClips(values: Tensor, videos: number): Tensor {
  return values.reshape([videos, -1, values.shape[1]!]).mean(1);
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

/** Video-level accuracy (TimeBalance, method note 7): arg-max of the averaged softmax, over videos. */
export function accuracy(
  predictions: readonly VideoPrediction[],
  truth: ReadonlyMap<string, number>,
  classes: readonly string[],
): Accuracy {
  const labels = trueClasses(predictions, truth);
  const confusion = classes.map(() => classes.map(() => 0));
  for (const [video, label] of labels.entries()) confusion[label]![argmax(predictions[video]!.probabilities)]!++;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const right = classes.map((_, label) => confusion[label]![label]!);
  const perClass = classes.map((name, label) => {
    const videos = sum(confusion[label]!);
    return { name, videos, top1: videos === 0 ? Number.NaN : right[label]! / videos };
  });
  const videos = predictions.length;
  return {
    videos,
    top1: sum(right) / videos,
    top5: sum(rightAt(predictions, labels, 5)) / videos,
    perClass,
    confusion,
  };
}

/**
 * The true class of each predicted video.
 *
 * @throws {RangeError} for a video that `truth` does not know
 */
export function trueClasses(
  predictions: readonly Pick<VideoPrediction, 'id'>[],
  truth: ReadonlyMap<string, number>,
): number[] {
  return predictions.map(({ id }) => {
    const label = truth.get(id);
    if (label === undefined) throw new RangeError(`no true class is known for the predicted video ${id}`);
    return label;
  });
}

/** For each video 1 if its class is among the k most probable ones, else 0; of equally probable classes the first wins. */
export function rightAt(
  predictions: readonly Pick<VideoPrediction, 'probabilities'>[],
  labels: readonly number[],
  k: number,
): number[] {
  return predictions.map(({ probabilities }, video) => {
    const label = labels[video]!;
    const own = probabilities[label]!;
    const before = probabilities.filter((p, other) => p > own || (p === own && other < label)).length;
    return before < k ? 1 : 0;
  });
}

export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k]! > values[best]!) best = k;
  return best;
}
