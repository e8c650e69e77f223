import { z } from 'zod';
import { colourJitter } from './image-augment.js';
import { count, frames, inputSize, positive, range, seed, share } from './parts.js';
import { trainingSettings } from './training.js';

const tower = z.strictObject({
  width: count.describe('numbers in a token'),
  layers: count.describe('transformer blocks'),
  heads: count.describe('attention heads; the width is a multiple of them'),
});

/** Every setting of a CLIP run. Unknown keys are errors. */
export const clipRecipe = z.strictObject({
  method: z.literal('clip').describe('what is learnt'),
  seed,
  frames,
  inputSize,
  model: z
    .strictObject({
      patch: count.describe('height and width of a patch in pixels; the input size is a multiple of it'),
      embedding: count.describe('size of the space that images and texts share'),
      image: tower.describe('the image tower'),
      text: tower
        .extend({
          context: count.min(3).describe('tokens of a text, start and end included; longer texts are cut'),
          vocabulary: z.number().int().min(514).max(49_408).describe('tokens known: the most frequent ones of CLIP'),
        })
        .describe('the text tower'),
      activation: z.enum(['quick-gelu', 'gelu']).describe("quick-gelu is what OpenAI's weights were trained with"),
      pretrained: z
        .string()
        .nullable()
        .default(null)
        .describe('a CLIP of the same shape to start from instead of random weights, see docs/language.md'),
    })
    .describe('the network'),
  train: z
    .strictObject({
      epochs: count.describe('passes over all videos with a caption; one frame of each video a pass'),
      batch: count.min(2).describe('videos in a step; each is told apart from the others'),
      learningRate: positive.describe('the largest of the schedule, which falls along a cosine'),
      warmupEpochs: z.number().min(0).describe('in which the learning rate rises to its largest'),
      weightDecay: z.number().min(0).describe('of AdamW, for weights with two dimensions or more'),
      betas: z.tuple([share, share]).describe('of AdamW'),
      largestScale: positive.describe('of the logits: the learnt scale is kept from growing beyond'),
      augment: z
        .strictObject({
          area: range.describe('of the random crop, as a fraction of the frame; its shape varies from 3:4 to 4:3'),
          flip: share.describe('probability of a mirror image; keep 0 where captions tell left from right'),
          jitter: colourJitter.describe('random colours, in random order; keep hue small where captions name colours'),
          grayscale: share.describe('probability of a gray image'),
        })
        .describe('random augmentation, drawn anew for every image'),
    })
    .describe('the training'),
  training: trainingSettings,
  evaluation: z
    .strictObject({ clips: count.describe('frames of a video whose features are averaged') })
    .describe('how a video is seen in tests'),
});

/** Every setting of a CLIP run; {@link clipRecipe} checks them. */
export type ClipRecipe = z.infer<typeof clipRecipe>;
