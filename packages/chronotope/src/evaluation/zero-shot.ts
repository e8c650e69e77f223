import { softmax, type Tensor } from '@chronotope/torch';

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
  return softmax(videos.matmul(classes.transpose(0, 1)).mul(scale), 1);
}
