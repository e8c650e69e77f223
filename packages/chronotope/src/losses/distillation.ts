import { logSoftmax, op, softmax, type Tensor } from '@chronotope/torch';

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
 * @returns a scalar
 */
export function distillationLoss(logits: Tensor, teacher: Tensor, kind: Distillation = 'l2'): Tensor {
  switch (kind) {
    case 'l2':
      return squaredError(logits, teacher).mean();
    case 'l2-per-video':
      return squaredError(logits, teacher).sum(1).mean();
    case 'kld':
      return negativeEntropy(teacher)
        .sub(teacher.mul(logSoftmax(logits, 1)))
        .mean();
  }
}

function squaredError(logits: Tensor, teacher: Tensor): Tensor {
  return softmax(logits, 1).sub(teacher).square();
}

/** q log q, with 0 log 0 = 0. */
function negativeEntropy(probabilities: Tensor): Tensor {
  return op('aten::xlogy.Tensor')(probabilities, probabilities) as Tensor;
}
