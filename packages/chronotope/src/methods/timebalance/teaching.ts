import { nn, noGrad, softmax, type Tensor, tensor } from '@chronotope/torch';
import { rebalance } from '../../losses/class-balance.js';
import { mixTeachers } from '../../losses/similarity.js';
import { sharpen } from '../../losses/targets.js';
import type { Classifier } from '../../models/classifier.js';
import type { StudentSettings } from '../../recipes/timebalance.js';
import type { PredictionTable } from '../../training/prediction-table.js';
import type { Batch } from './training.js';

/** What the teachers together say of the videos of a batch: probabilities `[B, C]` without gradient. */
export type Teaching = (batch: Batch) => Tensor;

/** How what the teachers say becomes one answer. */
export interface Combination extends Pick<StudentSettings, 'mixing' | 'teacherTemperature'> {
  /** Weight of the first teacher for each video. */
  weights: ReadonlyMap<string, number>;
  /** `[C]`, by which the classes of the mixture are weighed, before it is sharpened. Default: all alike. */
  classFactors?: Tensor;
}

/**
 * Freezes a teacher for good: evaluation mode, no gradients, batch normalisation folded into the convolutions. Whatever
 * asks a teacher asks the folded one, so that a run that is taken up again gets the same bits.
 */
export function freezeTeacher(teacher: Classifier): Classifier {
  nn.foldBatchNorm(teacher.eval().requiresGrad_(false));
  return teacher;
}

/**
 * Teachers that see the clips of the student (official).
 *
 * @param teachers one or two, frozen
 */
export function liveTeaching(teachers: readonly Classifier[], combination: Combination): Teaching {
  return ({ views, ids }) =>
    noGrad(() => {
      const clips = views.clip!;
      const answers = teachers.map((teacher) => softmax(teacher.call(clips), 1));
      return combine(answers, ids, combination);
    });
}

/**
 * Teachers that saw every video once, before the training: a step costs no pass through them. What they say does not change
 * with the clip or its augmentation.
 *
 * @param tables one or two; each has every video of the training
 */
export function cachedTeaching(tables: readonly PredictionTable[], combination: Combination): Teaching {
  return ({ ids, views }) => {
    const { device } = views.clip!;
    return noGrad(() => tabledAnswers(tables, ids, { ...combination, device }));
  };
}

/**
 * What teachers that saw every video once say together of some.
 *
 * @param tables one or two; each has all `ids`
 * @returns `[ids, C]` probabilities
 */
export function tabledAnswers(
  tables: readonly PredictionTable[],
  ids: readonly string[],
  { device = 'cpu', ...combination }: Combination & { device?: string },
): Tensor {
  const answers = tables.map(({ rows, probabilities }) => {
    const wanted = BigInt64Array.from(ids, (id) => BigInt(rows.get(id)!));
    return probabilities.indexSelect(0, tensor(wanted)).to({ device });
  });
  return combine(answers, ids, combination);
}

function combine(answers: readonly Tensor[], ids: readonly string[], combination: Combination): Tensor {
  const { weights, mixing, teacherTemperature, classFactors } = combination;
  const mixture = mixed(answers, ids, { weights, mixing });
  const balanced = classFactors === undefined ? mixture : rebalance(mixture, classFactors);
  return sharpen(balanced, teacherTemperature);
}

function mixed(
  [first, second]: readonly Tensor[],
  ids: readonly string[],
  { weights, mixing }: Pick<Combination, 'weights' | 'mixing'>,
): Tensor {
  if (second === undefined) return first!;
  const weight = tensor(
    Float32Array.from(ids, (id) => weights.get(id)!),
    { device: second.device },
  );
  return mixTeachers(first!, second, weight, { of: mixing });
}
