import { z } from 'zod';
import { parseByteSize } from './byte-size.js';

const share = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.number().int().min(1);
const range = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low <= high, 'expected [low, high] with low <= high');
const jitter = z.strictObject({ probability: share, range });

const augment = z
  .strictObject({
    crop: range.describe('height and width of the random crop, as a fraction of the frame'),
    squareCrop: z
      .boolean()
      .optional()
      .describe('crop squares, of a fraction of the height; off keeps the shape of the frame'),
    flip: share.describe('probability of a mirror image; keep 0 where left and right matter'),
    contrast: jitter,
    hue: jitter.describe('shift as a fraction of the colour circle'),
    saturation: jitter,
    brightness: jitter,
    grayscale: z.strictObject({ probability: share, gamma: jitter }),
    channelDrop: share.describe('probability that one colour channel is set to 0'),
    channelPermutation: share.describe('probability that the colour channels change places'),
    erase: z
      .strictObject({ count: z.number().int().min(0), probability: share, height: range, width: range })
      .describe('black rectangles; sizes as fractions of the input'),
  })
  .describe('random augmentation, drawn once for a clip');

const pretext = z.strictObject({
  epochs: count.describe('passes over all training videos'),
  batch: count.min(2).describe('videos in a step; each gives 2 global and 2 × localClips local clips'),
  learningRate: positive,
  weightDecay: z.number().min(0),
  warmupEpochs: z.number().min(0),
  temperature: positive,
  positives: z.enum(['all', 'different-time']).describe('which clips of a video attract each other'),
  localLocalReduction: z.enum(['sum', 'mean']).describe('over the videos of the batch; sum is official'),
  localLocalScale: positive.describe('factor of the local-local term: 40 with mean gives the official balance'),
  clipBatches: z.enum(['per-clip', 'joint']).describe('clips that share batch statistics; per-clip is official'),
  augment,
});

const labelled = z.strictObject({
  steps: count,
  batch: count.min(2),
  learningRate: positive,
  backboneFactor: positive.describe('learning rate of the backbone relative to that of the new classifier layer'),
  weightDecay: z.number().min(0),
  warmupSteps: z.number().int().min(0),
  dropout: share,
  augment,
});

/** Every setting of a TimeBalance run. Unknown keys are errors. */
export const timebalanceRecipe = z.strictObject({
  method: z.literal('timebalance'),
  seed: z.number().int().min(0),
  frames: z
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
    .describe('the frame store'),
  clips: z
    .strictObject({
      frames: count.min(2).describe('frames of a clip'),
      stride: count.describe('frames from one frame of a clip to the next, for recognition'),
      globalStride: count.describe('the same for the global clip of pre-training'),
      localClips: count.min(2).describe('local clips of pre-training; together they span the global clip'),
      fps: positive
        .nullable()
        .default(null)
        .describe('choose clips from this many frames a second, by time; null takes the stored frames'),
      virtualFrames: count.nullable().describe('stretch every video to this many frames; null keeps its own time'),
      shortVideo: z
        .enum(['official', 'stretch', 'repeat-last', 'loop', 'mirror', 'reject', 'error'])
        .describe('what to do with videos shorter than a clip'),
    })
    .refine(({ globalStride, localClips }) => globalStride % localClips === 0, {
      path: ['globalStride'],
      message: 'must be a multiple of clips.localClips, so that local clips match slices of the global clip',
    })
    .describe('which frames make a clip'),
  inputSize: z.number().int().min(8).describe('height and width of the network input in pixels'),
  model: z
    .strictObject({
      backbone: z.enum(['small-r3d', 'r3d18']),
      stemWidth: count.describe('small-r3d only'),
      widths: z.array(count).min(1).describe('small-r3d only: channels of each stage'),
      blocks: count.describe('small-r3d only: blocks of each stage'),
      embedding: count.describe('width of the projection head output'),
    })
    .describe('the network'),
  pretrain: z
    .strictObject({ invariant: pretext, distinctive: pretext, student: pretext })
    .describe('stages A_I, A_D, A_S'),
  supervised: labelled.describe('the baseline: labels only, from scratch'),
  teacher: labelled.describe('stage B: fine-tuning of each teacher on the labels'),
  similarity: z
    .strictObject({
      clips: count.min(2).describe('clips of a video that are compared'),
      stride: count,
      placement: z.enum(['spread', 'consecutive']),
      source: z.enum(['pretrained', 'fine-tuned']).describe('whose features are compared'),
      map: z.enum(['min-max', 'identity', 'rank', 'inverted', 'constant']).describe('from score to weight'),
    })
    .describe('stage C: temporal similarity scores (TSTR)'),
  student: labelled
    .extend({
      unlabelledBatch: count.min(2),
      distillation: z.enum(['l2', 'kld', 'l2-per-video']),
      supervisedWeight: z.number().min(0),
      labelledWeight: z.number().min(0).describe('distillation on the labelled videos'),
      unlabelledWeight: z.number().min(0).describe('distillation on the unlabelled videos'),
      start: z
        .enum(['student', 'invariant', 'distinctive', 'scratch'])
        .describe('pre-training the student starts from'),
    })
    .describe('stage D: the student'),
  evaluation: z
    .strictObject({ clips: count, centreCrop: share.describe('fraction of height and width') })
    .describe('stage E'),
});

export type TimeBalanceRecipe = z.infer<typeof timebalanceRecipe>;
export type PretextSettings = z.infer<typeof pretext>;
export type LabelledSettings = z.infer<typeof labelled>;
export type StudentSettings = TimeBalanceRecipe['student'];
