import { z } from 'zod';
import { parseByteSize } from './byte-size.js';

// What the schemas of several methods are made of.

export const share = z.number().min(0).max(1);
export const positive = z.number().positive();
export const count = z.number().int().min(1);
export const range = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low <= high, 'expected [low, high] with low <= high');
export const jitter = z.strictObject({
  probability: share.describe('how often it is applied'),
  range: range.describe('bounds of the random factor or shift'),
});
export const learningRate = positive.describe('the largest; it falls along the schedule');
export const weightDecay = z.number().min(0).describe('factor of the weights that Adam adds to their gradients (L2)');

export const augment = z
  .strictObject({
    crop: range.describe('height and width of the random crop, as a fraction of the frame'),
    squareCrop: z
      .boolean()
      .optional()
      .describe('crop squares, of a fraction of the height; off keeps the shape of the frame'),
    flip: share.describe('probability of a mirror image; keep 0 where left and right matter'),
    contrast: jitter.describe('factor of the distance from the mean gray'),
    hue: jitter.describe('shift as a fraction of the colour circle'),
    saturation: jitter.describe('factor of the distance from gray'),
    brightness: jitter.describe('factor of all values, 1 leaves them'),
    grayscale: z
      .strictObject({
        probability: share.describe('how often a clip loses its colours'),
        gamma: jitter.describe('exponent of the gray values'),
      })
      .describe('gray clips'),
    channelDrop: share.describe('probability that one colour channel is set to 0'),
    channelPermutation: share.describe('probability that the colour channels change places'),
    erase: z
      .strictObject({
        count: z.number().int().min(0).describe('how many at most, drawn one by one'),
        probability: share.describe('of each'),
        height: range.describe('of a rectangle'),
        width: range.describe('of a rectangle'),
      })
      .describe('black rectangles; sizes as fractions of the input'),
  })
  .describe('random augmentation, drawn once for a clip');

/** What every recipe begins with, apart from its method. */
export const seed = z
  .number()
  .int()
  .min(0)
  .describe('of everything that is random: weights, label draws, clips, augmentation');

export const inputSize = z.number().int().min(8).describe('height and width of the network input in pixels');

export const frames = z
  .strictObject({
    shortSide: z.number().int().min(8).describe('stored frames are scaled to this many pixels on the shorter side'),
    fps: positive.nullable().describe('frames per second to store; null keeps every frame'),
    maxFrames: count.describe('frames to store of one video at most'),
    format: z
      .enum(['auto', 'raw', 'jpeg'])
      .default('auto')
      .describe('raw pixels, JPEG pictures (about 9 times smaller), or raw where it fits into the budget'),
    budget: z
      .string()
      .refine((text) => parseByteSize(text) !== null, 'expected a size such as 20GB')
      .nullable()
      .default(null)
      .describe('most space for auto to choose raw; null: half of the free disk, at most the memory'),
  })
  .describe('the frame store');

/** How videos are decoded and kept. */
export type FrameSettings = z.infer<typeof frames>;

/** The settings of an image ResNet. */
export const imageNetwork = {
  backbone: z.enum(['resnet18', 'resnet50']).describe('the image network, which sees each frame by itself'),
  width: count.nullable().default(null).describe('channels of the first stage; null takes the published 64'),
  depths: z
    .tuple([count, count, count, count])
    .nullable()
    .default(null)
    .describe('blocks of each stage; null takes those of the published network'),
  pretrained: z
    .string()
    .nullable()
    .default(null)
    .describe('a file of weights to start from instead of random ones, such as the model of a CCL run; docs/models.md'),
};
