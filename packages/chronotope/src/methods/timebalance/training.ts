import { crossEntropyLoss, type nn, optim, type Tensor } from '@chronotope/torch';
import type { ClipLoader } from '../../data/loader.js';
import { distillationLoss } from '../../losses/distillation.js';
import { pretextLoss } from '../../losses/pretext.js';
import { rampUp } from '../../losses/ramp-up.js';
import { confident } from '../../losses/targets.js';
import type { Classifier } from '../../models/classifier.js';
import type {
  LabelledSettings,
  OptimizerSettings,
  PretextSettings,
  StudentSettings,
} from '../../recipes/timebalance.js';
import { gatherSamples } from '../../training/data-parallel.js';
import type { FitOptions, StepLoss } from '../../training/fit.js';
import type { ShownClips } from '../../training/tensorboard/shown-clips.js';
import type { TrainStageOptions } from '../../training/train-stage.js';
import { classifierLoss, shareRight } from '../classifier-loss.js';
import type { PretextModel } from './pretext-model.js';
import type { Teaching } from './teaching.js';

/** The part of {@link FitOptions} that a method decides. */
export interface Training<Batch>
  extends Pick<FitOptions<Batch>, 'steps' | 'optimizer' | 'batch' | 'loss' | 'afterStep'>,
    Pick<TrainStageOptions<Batch>, 'clips'> {
  /** Steps in which the learning rate rises; the recipe's schedule says how it falls then. */
  warmupSteps: number;
  /** Steps of a pass over the videos. */
  stepsPerEpoch: number;
  /** What is learnt from: of published learning rates, each has its own. */
  learnsFrom: 'videos' | 'labels';
  /** Where the batches come from. */
  loaders: readonly ClipLoader[];
  /** What is kept at the end, if not the whole module. */
  result?: nn.Module;
}

/** A batch of videos with their clips. */
export type Batch = ReturnType<ClipLoader['stepBatch']>;

/** Where a semi-supervised training gets its clips; no unlabelled ones where every label is known. */
export interface BothLoaders {
  labelled: ClipLoader;
  unlabelled: ClipLoader | null;
}

/** The clips of one semi-supervised step. */
export interface BothBatches {
  labelled: Batch;
  unlabelled: Batch | null;
}

/** Stages A_I, A_D and A_S: self-supervised pre-training with the settings' weights of the three losses. */
export function pretextTraining(
  model: PretextModel,
  loader: ClipLoader,
  settings: PretextSettings,
  optimizer: OptimizerSettings,
): Training<Batch> {
  const stepsPerEpoch = Math.ceil(loader.videos / settings.batch);
  const steps = settings.epochs * stepsPerEpoch;
  const { learningRate: lr, weightDecay, temperature, positives, localLocalReduction, weights } = settings;
  const scaled = { ...weights, localLocal: weights.localLocal * settings.localLocalScale };
  return {
    steps,
    optimizer: newOptimizer([{ params: model.parameters() }], { lr, weightDecay }, optimizer),
    warmupSteps: Math.round(settings.warmupEpochs * stepsPerEpoch),
    stepsPerEpoch,
    learnsFrom: 'videos',
    loaders: [loader],
    batch: (step) => loader.stepBatch(step),
    clips: clipsOf,
    loss: ({ views, ids }): StepLoss => {
      const { globals, slices, locals } = model.call(views.globals!, views.locals!);
      const embeddings = {
        globals: gatherSamples(globals, 1),
        slices: gatherSamples(slices, 1),
        locals: gatherSamples(locals, 1),
      };
      const { total, instanceGlobal, instanceLocal, localLocal, globalLocal } = pretextLoss(embeddings, {
        ...{ weights: scaled, temperature, positives, localLocalReduction },
      });
      const metrics = {
        ...(instanceGlobal && instanceLocal && { instance: instanceGlobal.add(instanceLocal) }),
        ...(localLocal && { localLocal }),
        ...(globalLocal && { globalLocal }),
      };
      return { loss: total, metrics, ids };
    },
  };
}

/** Stage B and the supervised baseline: cross-entropy on the labelled videos (TimeBalance Eq. 4). */
export function labelledTraining(
  model: Classifier,
  loader: ClipLoader,
  settings: LabelledSettings,
  optimizer: OptimizerSettings,
): Training<Batch> {
  return {
    ...optimisation(model, settings, optimizer, epochOf(loader, settings.batch)),
    loaders: [loader],
    batch: (step) => loader.stepBatch(step),
    clips: clipsOf,
    loss: classifierLoss(model),
  };
}

/**
 * Stage D: the student learns from the labels and from its teachers on labelled and unlabelled videos (TimeBalance,
 * method note 1). Labelled and unlabelled clips have a forward pass each.
 */
export function studentTraining(
  model: Classifier,
  teaching: Teaching,
  loaders: BothLoaders,
  settings: StudentSettings,
  optimizer: OptimizerSettings,
): Training<BothBatches> {
  const { distillation, supervisedWeight, labelledWeight, unlabelledWeight, teacherConfidence } = settings;
  const both = semiSupervisedTraining(model, loaders, settings, optimizer);
  const rise = Math.round(settings.rampUp * both.steps);
  const distil = (logits: Tensor, batch: Batch): { loss: Tensor; kept: Tensor } => {
    const taught = teaching(batch);
    const mask = confident(taught, teacherConfidence);
    return { loss: distillationLoss(logits, taught, distillation, mask), kept: mask.mean() };
  };
  return {
    ...both,
    loss: ({ labelled, unlabelled }, step): StepLoss => {
      const factor = rampUp(step, { steps: rise });
      const logits = model.call(labelled.views.clip!);
      const supervised = crossEntropyLoss(logits, labelled.labels!);
      const onLabelled = distil(logits, labelled);
      let loss = supervised.mul(supervisedWeight).add(onLabelled.loss.mul(factor * labelledWeight));
      const metrics: Record<string, Tensor> = { supervised, accuracy: shareRight(logits, labelled.labels!) };
      if (unlabelled) {
        const onUnlabelled = distil(model.call(unlabelled.views.clip!), unlabelled);
        loss = loss.add(onUnlabelled.loss.mul(factor * unlabelledWeight));
        metrics.distillation = onUnlabelled.loss;
        if (teacherConfidence > 0) metrics.kept = onUnlabelled.kept;
      }
      return { loss, metrics, ids: idsOf({ labelled, unlabelled }) };
    },
  };
}

/** What all trainings on labelled and unlabelled clips share: everything but the loss. */
export function semiSupervisedTraining(
  model: Classifier,
  loaders: BothLoaders,
  settings: StudentSettings,
  optimizer: OptimizerSettings,
): Omit<Training<BothBatches>, 'loss'> {
  return {
    ...optimisation(model, settings, optimizer, epochOfBoth(loaders, settings)),
    loaders: Object.values(loaders).filter((loader) => loader !== null),
    batch: (step) => ({
      labelled: loaders.labelled.stepBatch(step),
      unlabelled: loaders.unlabelled?.stepBatch(step) ?? null,
    }),
    clips: ({ labelled, unlabelled }) => ({
      ...clipsOf(labelled, 'labelled '),
      ...(unlabelled && clipsOf(unlabelled, 'unlabelled ')),
    }),
  };
}

/** The views of a batch, `[..., N, 3, T, H, W]`, for people to look at. */
function clipsOf({ views }: Batch, prefix = ''): ShownClips {
  const shown = Object.entries(views).map(([name, clips]) => {
    return [`${prefix}${name}`, clips.reshape([-1, ...clips.shape.slice(-5)])] as const;
  });
  return Object.fromEntries(shown);
}

/** The videos of a semi-supervised step. */
export function idsOf({ labelled, unlabelled }: BothBatches): string[] {
  return [...labelled.ids, ...(unlabelled?.ids ?? [])];
}

/** Steps of an epoch on labelled and unlabelled videos (method note 6): the official one ends with the shorter list. */
function epochOfBoth({ labelled, unlabelled }: BothLoaders, settings: StudentSettings): number {
  const ofLabelled = epochOf(labelled, settings.batch);
  if (unlabelled === null) return ofLabelled;
  const choose = settings.epochLength === 'shorter' ? Math.min : Math.max;
  return choose(ofLabelled, epochOf(unlabelled, settings.unlabelledBatch));
}

function epochOf(loader: ClipLoader, batch: number): number {
  return Math.ceil(loader.videos / batch);
}

/** A factor of 0 freezes the backbone; the optimiser then has the classifier layer alone. */
function optimisation(
  model: Classifier,
  settings: LabelledSettings,
  optimizer: OptimizerSettings,
  stepsPerEpoch: number,
) {
  const { epochs, warmupEpochs, learningRate: lr, backboneFactor, weightDecay } = settings;
  const steps = epochs === null ? settings.steps : epochs * stepsPerEpoch;
  const warmupSteps = warmupEpochs === null ? settings.warmupSteps : Math.round(warmupEpochs * stepsPerEpoch);
  if (backboneFactor === 0) model.freezeBackbone();
  const backbone = { params: model.backbone.parameters(), lr: lr * backboneFactor };
  const groups = [{ params: model.fc.parameters() }, ...(backboneFactor === 0 ? [] : [backbone])];
  return {
    steps,
    optimizer: newOptimizer(groups, { lr, weightDecay }, optimizer),
    warmupSteps,
    stepsPerEpoch,
    learnsFrom: 'labels' as const,
  };
}

function newOptimizer(
  groups: { params: nn.Parameter[]; lr?: number }[],
  options: { lr: number; weightDecay: number },
  { name, momentum }: OptimizerSettings,
): optim.Optimizer {
  switch (name) {
    case 'adam':
      return new optim.Adam(groups, options);
    case 'adamw':
      return new optim.AdamW(groups, options);
    case 'sgd':
      return new optim.SGD(groups, { ...options, momentum });
  }
}
