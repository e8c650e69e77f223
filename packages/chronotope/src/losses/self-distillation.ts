import { logSoftmax, softmax, type Tensor } from '@chronotope/torch';
import { crossViewCrossEntropy, type ViewPair, viewPairs } from './cross-view.js';

/** How scores become probabilities: smaller is sharper. */
export interface Temperatures {
  student: number;
  teacher: number;
}

/**
 * The teacher's sharpened and centred probabilities: softmax((t − c) / τ_t) (DINO, ICCV 2021, equation 1 and section 3.1).
 *
 * @param scores `[..., K]`
 * @param options.center `[K]`; without it nothing is subtracted
 */
export function teacherProbabilities(
  scores: Tensor,
  { temperature, center }: { temperature: number; center?: Tensor | null },
): Tensor {
  return softmax((center ? scores.sub(center) : scores).div(temperature), -1);
}

/**
 * The self-distillation loss of DINO and SVT: the student predicts, from every view, what the teacher says of every
 * other global view.
 *
 *   P_i = softmax((t_i − c) / τ_t),  Q_j = softmax(s_j / τ_s),  L = 1/|pairs| Σ_{i≠j} mean_b H(P_i, Q_j)
 *
 * @param teacher `[G, B, K]` outputs t of the teacher for the global views, without gradient
 * @param student `[V, B, K]` outputs s of the student for all views, the global ones first
 * @param options.center `[K]`, from the steps before this one; see {@link nextCenter}
 * @param options.pairs default: all of different views
 * @returns a scalar
 */
export function selfDistillationLoss(
  teacher: Tensor,
  student: Tensor,
  options: { temperatures: Temperatures; center?: Tensor | null; pairs?: readonly ViewPair[] },
): Tensor {
  const { temperatures, center, pairs } = options;
  const targets = teacherProbabilities(teacher, { temperature: temperatures.teacher, center });
  return crossViewCrossEntropy(targets, logSoftmax(student.div(temperatures.student), -1), pairs);
}

/** What the two heads of one network say, `[views, B, K]` each. */
export interface TwoTokens {
  class: Tensor;
  auxiliary: Tensor;
}

/**
 * SVT's variant with two tokens: the first global view is taught through the class token to views 0 and 1, the second
 * through the auxiliary token to views 2 and 3.
 *
 * @param teacher two global views
 * @param student four views
 * @param options.centers `[K]`, one of each token
 * @returns a scalar
 */
export function twoTokenLoss(
  teacher: TwoTokens,
  student: TwoTokens,
  options: { temperatures: Temperatures; centers: TwoTokens },
): Tensor {
  const { temperatures, centers } = options;
  const token = (name: keyof TwoTokens, view: number) =>
    selfDistillationLoss(teacher[name].narrow(0, view, 1), student[name].narrow(0, 2 * view, 2), {
      temperatures,
      center: centers[name],
      pairs: viewPairs(1, 2, { sameView: true }),
    });
  return token('class', 0).add(token('auxiliary', 1)).div(2);
}

/**
 * The centre after a step, a moving average of what the teacher says: c ← m c + (1 − m) mean of all rows. It keeps one
 * output from winning always. The loss of a step uses the centre from before it.
 *
 * @param center `[K]`
 * @param teacher `[..., K]` outputs before centring and temperature; with several processes, those of all of them
 * @param options.momentum m, default 0.9 (DINO)
 */
export function nextCenter(center: Tensor, teacher: Tensor, { momentum = 0.9 }: { momentum?: number } = {}): Tensor {
  const mean = teacher.reshape([-1, teacher.shape.at(-1)!]).mean(0);
  return center.mul(momentum).add(mean.mul(1 - momentum));
}
