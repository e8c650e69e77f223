import { z } from 'zod';
import { augment, count, frames, inputSize, learningRate, positive, seed, share, weightDecay } from './parts.js';

const pretext = z.strictObject({
  epochs: count.describe('passes over all training videos'),
  batch: count.min(2).describe('videos in a step; each gives 2 global and 2 × localClips local clips'),
  learningRate,
  weightDecay,
  warmupEpochs: z.number().min(0).describe('epochs in which the learning rate rises from near 0'),
  temperature: positive.describe('of the contrastive losses; smaller sharpens them'),
  positives: z.enum(['all', 'different-time']).describe('which clips of a video attract each other'),
  localLocalReduction: z.enum(['sum', 'mean']).describe('over the videos of the batch; sum is official'),
  localLocalScale: positive.describe('factor of the local-local term: 40 with mean gives the official balance'),
  clipBatches: z.enum(['per-clip', 'joint']).describe('clips that share batch statistics; per-clip is official'),
  augment,
});

const labelled = z.strictObject({
  steps: count.describe('optimiser steps in all'),
  batch: count.min(2).describe('labelled videos in a step'),
  learningRate,
  backboneFactor: positive.describe('learning rate of the backbone relative to that of the new classifier layer'),
  weightDecay,
  warmupSteps: z.number().int().min(0).describe('steps in which the learning rate rises from near 0'),
  dropout: share.describe('share of the features set to 0 before the classifier layer'),
  augment,
});

/** Every setting of a TimeBalance run. Unknown keys are errors. */
export const timebalanceRecipe = z.strictObject({
  method: z.literal('timebalance').describe('what is learnt'),
  seed,
  frames,
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
  inputSize,
  model: z
    .strictObject({
      backbone: z
        .enum(['small-r3d', 'r3d18', 'r2plus1d18', 'mc3-18', 'r3d50', 'resnet18', 'resnet50'])
        .describe('small-r3d trains on a CPU; the resnets see single frames, see docs/ccl.md'),
      stemWidth: count.describe('small-r3d only: channels of the first convolution'),
      widths: z.array(count).min(1).describe('small-r3d only: channels of each stage'),
      blocks: count.describe('small-r3d only: blocks of each stage'),
      width: count
        .nullable()
        .default(null)
        .describe('not small-r3d: channels of the first stage; null takes the 64 of the published networks'),
      depths: z
        .tuple([count, count, count, count])
        .nullable()
        .default(null)
        .describe('not small-r3d: blocks of each stage; null takes those of the published network'),
      lastStage: z
        .enum(['dilated', 'strided'])
        .default('dilated')
        .describe('r3d18 and r2plus1d18: the last stage keeps the time steps (TCLR) or halves them (torchvision)'),
      pretrained: z
        .string()
        .nullable()
        .default(null)
        .describe('a file of weights to start from instead of random ones: safetensors or .pth, see docs/models.md'),
      embedding: count.describe('width of the projection head output'),
    })
    .describe('the network'),
  pretrain: z
    .strictObject({
      invariant: pretext.describe('stage A_I: all clips of a video alike'),
      distinctive: pretext.describe('stage A_D: clips of different times apart'),
      student: pretext.describe('stage A_S: both, for the student to start from'),
    })
    .describe('stages A_I, A_D, A_S'),
  supervised: labelled.describe('the baseline: labels only, from scratch'),
  teacher: labelled.describe('stage B: fine-tuning of each teacher on the labels'),
  similarity: z
    .strictObject({
      clips: count.min(2).describe('clips of a video that are compared'),
      stride: count.describe('frames from one frame of such a clip to the next'),
      placement: z.enum(['spread', 'consecutive']).describe('over the whole video, or without gaps in its middle'),
      source: z.enum(['pretrained', 'fine-tuned']).describe('whose features are compared'),
      map: z.enum(['min-max', 'identity', 'rank', 'inverted', 'constant']).describe('from score to weight'),
    })
    .describe('stage C: temporal similarity scores (TSTR)'),
  student: labelled
    .extend({
      unlabelledBatch: count.min(2).describe('unlabelled videos in a step'),
      distillation: z
        .enum(['l2', 'kld', 'l2-per-video'])
        .describe('distance between the predictions of the student and of its teachers'),
      supervisedWeight: z.number().min(0).describe('cross-entropy on the labelled videos'),
      labelledWeight: z.number().min(0).describe('distillation on the labelled videos'),
      unlabelledWeight: z.number().min(0).describe('distillation on the unlabelled videos'),
      start: z
        .enum(['student', 'invariant', 'distinctive', 'scratch'])
        .describe('pre-training the student starts from'),
    })
    .describe('stage D: the student'),
  evaluation: z
    .strictObject({
      clips: count.describe('clips of a video whose predictions are averaged'),
      centreCrop: share.describe('fraction of height and width'),
    })
    .describe('stage E'),
});

/** Every setting of a TimeBalance run; {@link timebalanceRecipe} checks them. */
export type TimeBalanceRecipe = z.infer<typeof timebalanceRecipe>;

/** Settings of one self-supervised pre-training. */
export type PretextSettings = z.infer<typeof pretext>;

/** Settings of a training on labels alone. */
export type LabelledSettings = z.infer<typeof labelled>;

/** Settings of the student: labels and distillation from the teachers. */
export type StudentSettings = TimeBalanceRecipe['student'];
