import { z } from 'zod';
import { imageAugment } from './image-augment.js';
import { count, frames, imageNetwork, inputSize, positive, seed, share } from './parts.js';
import { trainingGroup } from './training.js';

/** Every setting of a classifier of images, or of clips seen frame by frame. Unknown keys are errors. */
export const framesRecipe = z.strictObject({
  method: z.literal('frames').describe('what is learnt'),
  seed,
  frames,
  clips: z
    .strictObject({
      frames: count.describe('frames of a clip; 1 for images'),
      stride: count.describe('frames from one frame of a training clip to the next'),
      fps: positive.nullable().describe('choose clips from this many frames a second; null takes the stored frames'),
      shortVideo: z
        .enum(['loop', 'repeat-last', 'mirror', 'stretch', 'reject'])
        .describe('what to do with videos shorter than a clip; loop is official'),
    })
    .describe('which frames make a clip'),
  inputSize,
  model: z
    .strictObject({
      ...imageNetwork,
    })
    .describe('the network'),
  training: z
    .strictObject({
      trunk: z
        .enum(['frozen', 'frozen-official-bn', 'fine-tuned'])
        .describe('the image network; official-bn: its batch statistics move on, as in the published code'),
      epochs: count.describe('passes over the training videos'),
      warmupEpochs: z.number().int().min(0).describe('passes before them in which only the last layer learns'),
      clipsPerVideo: count.describe('clips of each video in a pass'),
      batch: count.describe('clips in a step'),
      optimizer: z.enum(['sgd', 'adam']).describe('how weights are changed'),
      learningRates: z
        .array(positive)
        .min(1)
        .describe('one, or several to choose from by a tenth of the training videos that is held out'),
      momentum: share.describe('of SGD'),
      weightDecay: z.number().min(0).describe('factor of the weights that is added to their gradients (L2)'),
      milestones: z.array(count).describe('epochs from which the learning rate is multiplied by decay once more'),
      decay: positive.describe('see milestones'),
      dropout: share.describe('share of the features set to 0 before the last layer'),
      augment: imageAugment,
      ...trainingGroup.omit({ schedule: true }).shape,
    })
    .describe('the training'),
  evaluation: z
    .strictObject({ clips: count.describe('clips of a video whose predictions are averaged') })
    .describe('the test'),
});

/** Every setting of a classifier that sees frames one by one; {@link framesRecipe} checks them. */
export type FramesRecipe = z.infer<typeof framesRecipe>;
