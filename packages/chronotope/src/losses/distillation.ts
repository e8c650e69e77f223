import { logSoftmax, op, softmax, type Tensor } from '@chronotope/torch';
import { detachedProbabilities } from './targets.js';

/** How the student's prediction is pulled towards the teacher's. */
export type Distillation = 'l2' | 'kld' | 'l2-per-video';

/**
 * Distance between the student's prediction and the teacher's probabilities (TimeBalance, method note 2.7).
 *
 * - `l2` (official): mean over all B × C entries of (softmax(z) − q)².
 * - `kld` (official option): Σ q (log q − log softmax(z)) divided by B × C.
 * - `l2-per-video` (ours): |softmax(z) − q|² summed over the classes, mean over the videos; weights keep their meaning
 *   when the number of classes changes.
 *
 * @param logits `[B, C]` of the student
 * @param teacher `[B, C]` probabilities, without gradient
 * @param videoWeights `[B]` factors of the videos, such as a confidence mask; the mean stays one over all B. Default: 1.
 * @returns a scalar
 */
export function distillationLoss(
  logits: Tensor,
  teacher: Tensor,
  kind: Distillation = 'l2',
  videoWeights?: Tensor,
): Tensor {
  const perVideo = distances(logits, teacher, kind);
  return (videoWeights ? perVideo.mul(videoWeights) : perVideo).mean();
}

/**
 * Consistency with a mean teacher (Tarvainen and Valpola, NeurIPS 2017, Eq. 2 on probabilities, as in their code): the
 * prediction is pulled towards that of the averaged network for another augmentation of the same clip.
 *
 *   L = distance(softmax(z), softmax(z')),   no gradient into z'
 *
 * @param logits `[B, C]` of the student
 * @param teacherLogits `[B, C]` of the averaged network for the same videos
 * @param kind `l2` and `kld` are the two distances that paper compares
 * @returns a scalar
 */
export function meanTeacherLoss(logits: Tensor, teacherLogits: Tensor, kind: Distillation = 'l2'): Tensor {
  return distillationLoss(logits, detachedProbabilities(teacherLogits), kind);
}

/** `[B]` */
function distances(logits: Tensor, teacher: Tensor, kind: Distillation): Tensor {
  switch (kind) {
    case 'l2':
      return squaredError(logits, teacher).mean(1);
    case 'l2-per-video':
      return squaredError(logits, teacher).sum(1);
    case 'kld':
      return negativeEntropy(teacher)
        .sub(teacher.mul(logSoftmax(logits, 1)))
        .mean(1);
  }
}

function squaredError(logits: Tensor, teacher: Tensor): Tensor {
  return softmax(logits, 1).sub(teacher).square();
}

/** q log q, with 0 log 0 = 0. */
function negativeEntropy(probabilities: Tensor): Tensor {
  return op('aten::xlogy.Tensor')(probabilities, probabilities) as Tensor;
}
