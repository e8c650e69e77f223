import { z } from 'zod';
import type { TrainingSettings } from '../training/settings.js';
import { count, positive, share } from './parts.js';

/**
 * How the stages of a recipe are trained, whatever they learn; they pass it on to `trainStage`. Everything is off unless
 * it is given. A method without a use for some of it leaves that out; see {@link insteadOf}.
 */
export const trainingGroup = z.strictObject({
  threads: count
    .nullable()
    .default(null)
    .describe(
      'processor cores of a step; small networks gain little by a second one, which can make batches; null takes all',
    ),
  amp: z
    .enum(['off', 'bfloat16', 'float16'])
    .default('off')
    .describe('mixed precision: products and convolutions in 16 bits; float16 needs a GPU, or libtorch 2.3'),
  convolutions: z
    .enum(['default', 'tuned'])
    .default('default')
    .describe(
      'on the CPU in float32: tuned measures for every shape which algorithm is the fastest; large 3D networks gain most',
    ),
  accumulate: count
    .default(1)
    .describe('equal parts in which the batch of a step is computed one after the other, to save memory'),
  clipGradients: positive
    .nullable()
    .default(null)
    .describe('largest norm of all gradients together; null leaves them as they are'),
  schedule: z
    .strictObject({
      name: z
        .enum(['cosine', 'constant', 'linear', 'step', 'multi-step', 'plateau'])
        .default('cosine')
        .describe('how the learning rate falls after the warm-up'),
      gamma: share.default(0.1).describe('step, multi-step, plateau: factor of one reduction'),
      every: share.default(1 / 3).describe('step: share of all steps between two reductions'),
      milestones: z.array(share).default([0.5, 0.75]).describe('multi-step: reduce at these shares of all steps'),
      patience: z
        .number()
        .int()
        .min(0)
        .default(2)
        .describe('plateau: measurements without improvement before it reduces'),
      lossSteps: count
        .default(100)
        .describe('plateau: where nothing is validated, the mean loss of so many steps is one measurement'),
    })
    .prefault({})
    .describe('the learning rate; warm-up and length are those of each stage'),
  ema: z
    .strictObject({
      decay: share.nullable().default(null).describe('share that a step keeps, such as 0.999; null makes no average'),
      result: z
        .enum(['average', 'weights'])
        .default('average')
        .describe('which of the two is validated and used; the other is saved beside it'),
    })
    .prefault({})
    .describe('a moving average of the weights'),
  validation: z
    .strictObject({
      every: count.nullable().default(null).describe('steps between two measurements; null never measures'),
      share: share
        .default(0.2)
        .describe('of the labelled videos, set aside to measure on where the data have no validation part'),
      keep: z
        .enum(['best', 'last'])
        .default('best')
        .describe('which weights are the result; the others are saved beside'),
      patience: count.nullable().default(null).describe('stop after so many measurements without improvement'),
    })
    .prefault({})
    .describe('measuring on videos that are not trained on'),
  checkpoints: z
    .strictObject({
      every: count.nullable().default(null).describe('steps between two files of weights; null writes none'),
      keep: count.default(3).describe('how many of the latest stay'),
    })
    .prefault({})
    .describe('weights on the way, as step-<n>.safetensors; a resume does not need them'),
  tensorboard: z.boolean().default(false).describe('write curves for TensorBoard into the folder of every stage'),
  syncBatchNorm: z
    .boolean()
    .default(false)
    .describe('with several processes: batch statistics over all of them, as one process would have'),
}) satisfies z.ZodType<TrainingSettings>;

/** The group `training` of a recipe, as it is. */
export const trainingSettings = trainingGroup.prefault({}).describe('how every stage is trained');

const INSTEAD: Readonly<Record<string, Readonly<Partial<Record<keyof TrainingSettings, string>>>>> = {
  ccl: {
    schedule: 'pretrain.schedule and pretrain.milestones say how the learning rate falls',
    ema: 'the momentum encoder is the average, and pretrain.keyMomentum its decay',
    validation:
      'nothing is measured without labels; keep training.checkpoints and try them: chronotope evaluate --checkpoint <step>',
  },
  frames: { schedule: 'training.milestones and training.decay say how the learning rate falls' },
};

/**
 * What there is in place of a setting of {@link trainingGroup} that the recipes of a method leave out.
 *
 * @param key dotted, such as `training.ema.decay`
 */
export function insteadOf(method: string, key: string): string | undefined {
  const [group, name] = key.split('.');
  return group === 'training' ? INSTEAD[method]?.[name as keyof TrainingSettings] : undefined;
}
