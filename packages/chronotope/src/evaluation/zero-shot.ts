import { softmax, type Tensor } from '@chronotope/torch';

/** What CLIP's released models multiply cosines with before a softmax. */
export const CLIP_SCALE = 100;

/**
 * Class probabilities of videos from vectors of their classes (Radford et al., ICML 2021, section 3.1): softmax of scaled
 * cosines.
 *
 * @param videos `[V, E]`, each of length 1
 * @param classes `[C, E]`, each of length 1
 * @param scale of the cosines. Default {@link CLIP_SCALE}
 * @returns `[V, C]`
 */
export function zeroShotProbabilities(videos: Tensor, classes: Tensor, scale = CLIP_SCALE): Tensor {
  return softmax(videos.matmul(classes.transpose(0, 1)).mul(scale), 1);
}
