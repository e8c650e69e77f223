import { nn, softmax, type Tensor } from '@chronotope/torch';
import { videoProbabilities } from './video-level.js';

/**
 * What is averaged over the views of a video, its clips and crops: their directions, scaled to length 1 again (method
 * note of LSS, 7.4), the probabilities of the classes, or the scaled cosines before the softmax.
 */
export const VIEW_AVERAGES = ['directions', 'probabilities', 'logits'] as const;
export type ViewAverage = (typeof VIEW_AVERAGES)[number];

/**
 * Class probabilities of videos from vectors of their classes (Radford et al., ICML 2021, section 3.1): softmax of scaled
 * cosines.
 *
 * @param videos `[V, E]`, each of length 1
 * @param classes `[C, E]`, each of length 1
 * @param scale of the cosines: what the model has learnt, 100 in CLIP's released ones
 * @returns `[V, C]`
 */
export function zeroShotProbabilities(videos: Tensor, classes: Tensor, scale: number): Tensor {
  return softmax(scaledCosines(videos, classes, scale), 1);
}

/**
 * The same for videos that are seen in several views.
 *
 * @param views `[V, M, E]`, each of length 1
 * @param options.scale of the cosines
 * @returns `[V, C]`
 */
export function viewProbabilities(
  views: Tensor,
  classes: Tensor,
  { scale, average }: { scale: number; average: ViewAverage },
): Tensor {
  if (average === 'directions') return zeroShotProbabilities(meanDirections(views), classes, scale);
  const [videos] = views.shape as [number];
  const logits = scaledCosines(views.flatten({ startDim: 0, endDim: 1 }), classes, scale);
  return videoProbabilities(logits, videos, average);
}

/** Directions of views `[V, M, E]`, each of length 1, to the mean direction of each video, `[V, E]` of length 1. */
export function meanDirections(views: Tensor): Tensor {
  return nn.functional.normalize(views.mean(1));
}

function scaledCosines(vectors: Tensor, classes: Tensor, scale: number): Tensor {
  return vectors.matmul(classes.transpose(0, 1)).mul(scale);
}
