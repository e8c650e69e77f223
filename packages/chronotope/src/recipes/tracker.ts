import { z } from 'zod';
import { count, positive, seed, share } from './parts.js';

/** Every setting of a SiamFC tracker. Unknown keys are errors. */
export const trackerRecipe = z
  .strictObject({
    method: z.literal('tracker').describe('what is learnt'),
    seed,
    model: z
      .strictObject({
        backbone: z
          .enum(['resnet18', 'resnet50', 'alexnet'])
          .describe('the image network: a ResNet with its last two stages dilated, or the original AlexNet'),
        width: count
          .nullable()
          .default(null)
          .describe('ResNet: channels of the first stage; null takes the published 64'),
        depths: z
          .tuple([count, count, count, count])
          .nullable()
          .default(null)
          .describe('ResNet: blocks of each stage; null takes those of the published network'),
        pretrained: z
          .string()
          .nullable()
          .default(null)
          .describe('weights of the backbone: a file, or a run folder and a stage as runs/mine:student; null: random'),
        frozen: z.boolean().describe('the backbone learns nothing; off fine-tunes it'),
        head: count
          .nullable()
          .describe(
            'channels of a 1x1 convolution for exemplars and one for search images; null compares raw features',
          ),
        outScale: positive.describe('factor of the correlation, which keeps responses in the range of logits'),
      })
      .describe('the network'),
    views: z
      .strictObject({
        exemplarSize: z.number().int().min(24).describe('pixels of an exemplar'),
        searchSize: z.number().int().min(32).describe('pixels of a search image when tracking'),
        trainingSearchSize: z.number().int().min(32).describe('pixels of a search image in training'),
        context: share.describe('what is seen around the object, as a share of its mean side'),
        stretch: z.number().min(0).max(0.5).describe('largest change of height and width in training, as a fraction'),
        shift: z
          .number()
          .min(0)
          .max(0.5)
          .describe('how far from the middle objects may be in training, as a share of a search image; 0 is official'),
        crop: z
          .enum(['fast', 'original'])
          .describe('rounding and padding of crops: fast as VINCE and CCL, original as SiamFC'),
      })
      .refine(({ exemplarSize, trainingSearchSize }) => exemplarSize <= trainingSearchSize, {
        path: ['exemplarSize'],
        message: 'must not be larger than views.trainingSearchSize',
      })
      .refine(({ trainingSearchSize, searchSize }) => trainingSearchSize <= searchSize - 8, {
        path: ['trainingSearchSize'],
        message: 'must be at least 8 pixels smaller than views.searchSize',
      })
      .describe('exemplars and search images'),
    pairs: z
      .strictObject({
        epochs: z.number().int().min(0).describe('passes over all sequences; 0 trains nothing'),
        batch: count.describe('pairs in a step'),
        perSequence: count.describe('pairs drawn from each sequence in an epoch'),
        loss: z.enum(['focal', 'balanced']).describe('of the responses'),
        gamma: z.number().min(0).describe('focal: how much less places weigh that are right already'),
        negativeWeight: positive.describe('balanced: weight of all negative places together, of positive ones 1'),
        positiveRadius: z.number().min(0).describe('places up to this many pixels away are the object'),
        ignoredRadius: z.number().min(0).describe('places beyond those and nearer than this count neither way'),
        optimizer: z.enum(['adam', 'sgd']).describe('sgd has a momentum of 0.9'),
        learningRate: positive.describe('of the first epoch'),
        schedule: z
          .enum(['exponential', 'step', 'fixed'])
          .describe('of the learning rate: by one factor after each epoch, by 0.1 at milestones, or not at all'),
        lastLearningRate: positive.describe('exponential: what is reached after the last epoch'),
        milestones: z.array(count).describe('step: epochs after which the learning rate falls to a tenth'),
        weightDecay: z.number().min(0).describe('factor of the weights that is added to their gradients (L2)'),
      })
      .describe('training on pairs of frames'),
    tracking: z
      .strictObject({
        scales: z
          .number()
          .int()
          .min(1)
          .refine((value) => value % 2 === 1, 'must be odd')
          .describe('sizes that are tried in each frame'),
        scaleStep: z.number().min(1).describe('ratio of one size to the next'),
        scaleRate: share.describe('how much of a change of size is taken over'),
        scalePenalty: share.describe('factor of responses at other sizes than the last'),
        windowInfluence: share.describe('share of the window that prefers places near the last one'),
        responseSize: count.describe('places of a response as the search counts them'),
        responseUp: count.describe('how many times the response is enlarged to find its peak'),
        exactGeometry: z
          .boolean()
          .default(false)
          .describe('measure displacements by the size that responses really have; off is official'),
      })
      .describe('following an object'),
  })
  .refine(({ model, pairs }) => !model.frozen || model.head !== null || pairs.epochs === 0, {
    path: ['pairs', 'epochs'],
    message: 'must be 0 with a frozen backbone and no head: there is nothing to learn',
  });

/** Every setting of a SiamFC tracker; {@link trackerRecipe} checks them. */
export type TrackerRecipe = z.infer<typeof trackerRecipe>;
