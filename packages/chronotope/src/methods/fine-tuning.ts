import { optim } from '@chronotope/torch';
import type { Batch, ClipLoader } from '../data/loader.js';
import type { ViewPlan } from '../data/views.js';
import type { Classifier } from '../models/classifier.js';
import { warmupCosine } from '../training/schedule.js';
import { PLAIN_TRAINING, type TrainingSettings } from '../training/settings.js';
import type { TrainStageOptions } from '../training/train-stage.js';
import { classifierLoss } from './classifier-loss.js';

/** How long is trained: optimiser steps, or passes over the labelled videos and at least so many steps. */
export type FineTuningLength = { steps: number } | { epochs: number; leastSteps: number };

/** How a backbone and a new linear layer are trained together on labels. */
export interface FineTuningSettings {
  length: FineTuningLength;
  /** Videos in a step, a clip of each. */
  batch: number;
  /** Of the linear layer, after the warm-up. */
  learningRate: number;
  /** Learning rate of the backbone relative to that of the linear layer. */
  backboneFactor: number;
  /** Of AdamW, for matrices and kernels; biases and norms have none. */
  weightDecay: number;
}

/** How a method's networks are fine-tuned. */
export interface FineTuning {
  /** The clip that a step sees of a video, as the method's training augments it: one view, `clip` [N, …]. */
  plan: ViewPlan;
  /** Share of the features set to zero before the linear layer. */
  dropout: number;
  /** Where nothing else is asked for. */
  settings: FineTuningSettings;
}

/** Optimiser steps of a length for a number of videos. */
export function fineTuningSteps({ length, batch }: FineTuningSettings, videos: number): number {
  if ('steps' in length) return length.steps;
  return Math.max(length.leastSteps, length.epochs * Math.ceil(videos / batch));
}

/** The settings of a recipe that fine-tuning shares with every other training. */
type Shared = Pick<TrainingSettings, 'threads' | 'amp' | 'convolutions' | 'accumulate' | 'clipGradients'>;

/** What {@link fineTuningOf} decides about a stage. */
type Decided = 'settings' | 'steps' | 'optimizer' | 'schedule' | 'loaders' | 'batch' | 'loss';

/**
 * Trains a classifier whole on labelled clips: cross-entropy, AdamW, a learning rate that rises over the first tenth of
 * the steps and then falls along a cosine.
 *
 * @param loader training clips in the view `clip`, in the parts of a step that `training.accumulate` asks for
 */
export function fineTuningOf(
  model: Classifier,
  loader: ClipLoader,
  settings: FineTuningSettings,
  { threads, amp, convolutions, accumulate, clipGradients }: Shared,
): Pick<TrainStageOptions<Batch>, Decided> {
  const steps = fineTuningSteps(settings, loader.videos);
  return {
    settings: { ...PLAIN_TRAINING, threads, amp, convolutions, accumulate, clipGradients },
    steps,
    optimizer: optimizerOf(model, settings),
    schedule: warmupCosine({ steps, warmupSteps: Math.ceil(steps / 10) }),
    loaders: [loader],
    batch: (index) => loader.stepBatch(index),
    loss: classifierLoss(model),
  };
}

function optimizerOf(model: Classifier, { learningRate: lr, backboneFactor, weightDecay }: FineTuningSettings) {
  const groups = [model.fc, model.backbone].flatMap((part) => {
    const parameters = part.parameters();
    const rate = part === model.fc ? lr : lr * backboneFactor;
    return [
      { params: parameters.filter(({ ndim }) => ndim >= 2), lr: rate, weightDecay },
      { params: parameters.filter(({ ndim }) => ndim < 2), lr: rate, weightDecay: 0 },
    ];
  });
  return new optim.AdamW(groups, { lr });
}
