import { nn, noGrad, softmax, type Tensor, tensor } from '@chronotope/torch';
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
}

/**
 * Teachers that see the clips of the student (official). They are frozen for good: evaluation mode, no gradients, batch
 * normalisation folded into the convolutions.
 *
 * @param teachers one or two
 */
export function liveTeaching(teachers: readonly Classifier[], combination: Combination): Teaching {
  for (const teacher of teachers) nn.foldBatchNorm(teacher.eval().requiresGrad_(false));
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
  return ({ ids, views }) =>
    noGrad(() => {
      const { device } = views.clip!;
      const answers = tables.map(({ rows, probabilities }) => {
        const wanted = BigInt64Array.from(ids, (id) => BigInt(rows.get(id)!));
        return probabilities.indexSelect(0, tensor(wanted)).to({ device });
      });
      return combine(answers, ids, combination);
    });
}

function combine(answers: readonly Tensor[], ids: readonly string[], combination: Combination): Tensor {
  const { weights, mixing, teacherTemperature } = combination;
  const [first, second] = answers as [Tensor, Tensor | undefined];
  if (second === undefined) return sharpen(first, teacherTemperature);
  const weight = tensor(
    Float32Array.from(ids, (id) => weights.get(id)!),
    { device: first.device },
  );
  return sharpen(mixTeachers(first, second, weight, { of: mixing }), teacherTemperature);
}
