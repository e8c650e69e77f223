import { crossEntropyLoss, noGrad, optim, softmax, type Tensor, tensor } from '@chronotope/torch';
import type { ClipLoader } from '../../data/loader.js';
import { distillationLoss } from '../../losses/distillation.js';
import { type PretextWeights, pretextLoss } from '../../losses/pretext.js';
import { mixTeachers } from '../../losses/similarity.js';
import type { Classifier } from '../../models/classifier.js';
import type { LabelledSettings, PretextSettings, StudentSettings } from '../../recipes/timebalance.js';
import type { FitOptions, StepLoss } from '../../training/fit.js';
import { warmupCosine } from '../../training/schedule.js';
import type { PretextModel } from './pretext-model.js';

/** The part of {@link FitOptions} that a method decides. */
export interface Training<Batch>
  extends Pick<FitOptions<Batch>, 'steps' | 'optimizer' | 'schedule' | 'batch' | 'loss'> {
  /** Where the batches come from. */
  loaders: readonly ClipLoader[];
}

type Batch = ReturnType<ClipLoader['stepBatch']>;

/** Stages A_I, A_D and A_S: self-supervised pre-training with the given weights of the three losses. */
export function pretextTraining(
  model: PretextModel,
  loader: ClipLoader,
  settings: PretextSettings,
  weights: PretextWeights,
): Training<Batch> {
  const stepsPerEpoch = Math.ceil(loader.videos / settings.batch);
  const steps = settings.epochs * stepsPerEpoch;
  const { learningRate: lr, weightDecay, temperature, positives, localLocalReduction } = settings;
  const scaled = { ...weights, localLocal: weights.localLocal * settings.localLocalScale };
  return {
    steps,
    optimizer: new optim.Adam(model.parameters(), { lr, weightDecay }),
    schedule: warmupCosine({ steps, warmupSteps: Math.round(settings.warmupEpochs * stepsPerEpoch) }),
    loaders: [loader],
    batch: (step) => loader.stepBatch(step),
    loss: ({ views, ids }): StepLoss => {
      const embeddings = model.call(views.globals!, views.locals!);
      const loss = pretextLoss(embeddings, { weights: scaled, temperature, positives, localLocalReduction });
      return {
        loss: loss.total,
        metrics: {
          instance: loss.instanceGlobal.add(loss.instanceLocal),
          localLocal: loss.localLocal,
          globalLocal: loss.globalLocal,
        },
        ids,
      };
    },
  };
}

/** Stage B and the supervised baseline: cross-entropy on the labelled videos (TimeBalance Eq. 4). */
export function labelledTraining(model: Classifier, loader: ClipLoader, settings: LabelledSettings): Training<Batch> {
  return {
    ...optimisation(model, settings),
    loaders: [loader],
    batch: (step) => loader.stepBatch(step),
    loss: ({ views, labels, ids }): StepLoss => {
      const logits = model.call(views.clip!);
      return { loss: crossEntropyLoss(logits, labels!), metrics: { accuracy: shareRight(logits, labels!) }, ids };
    },
  };
}

/** The two frozen teachers of stage D and the weight of the invariant one for each training video. */
export interface Teachers {
  invariant: Classifier;
  distinctive: Classifier;
  weights: ReadonlyMap<string, number>;
}

/**
 * Stage D: the student learns from the labels and from the teachers' mixture on labelled and unlabelled videos
 * (TimeBalance, method note 1). Student and teachers see the same augmented clips; labelled and unlabelled clips have
 * a forward pass each.
 */
export function studentTraining(
  model: Classifier,
  teachers: Teachers,
  loaders: { labelled: ClipLoader; unlabelled: ClipLoader | null },
  settings: StudentSettings,
): Training<{ labelled: Batch; unlabelled: Batch | null }> {
  const { distillation, supervisedWeight, labelledWeight, unlabelledWeight } = settings;
  const distil = (logits: Tensor, batch: Batch) => distillationLoss(logits, teach(teachers, batch), distillation);
  return {
    ...optimisation(model, settings),
    loaders: Object.values(loaders).filter((loader) => loader !== null),
    batch: (step) => ({
      labelled: loaders.labelled.stepBatch(step),
      unlabelled: loaders.unlabelled?.stepBatch(step) ?? null,
    }),
    loss: ({ labelled, unlabelled }): StepLoss => {
      const logits = model.call(labelled.views.clip!);
      const supervised = crossEntropyLoss(logits, labelled.labels!);
      const onLabelled = distil(logits, labelled);
      let loss = supervised.mul(supervisedWeight).add(onLabelled.mul(labelledWeight));
      const metrics: Record<string, Tensor> = { supervised, accuracy: shareRight(logits, labelled.labels!) };
      if (unlabelled) {
        const onUnlabelled = distil(model.call(unlabelled.views.clip!), unlabelled);
        loss = loss.add(onUnlabelled.mul(unlabelledWeight));
        metrics.distillation = onUnlabelled;
      }
      return { loss, metrics, ids: [...labelled.ids, ...(unlabelled?.ids ?? [])] };
    },
  };
}

function teach({ invariant, distinctive, weights }: Teachers, { views, ids }: Batch): Tensor {
  return noGrad(() => {
    const probabilities = (teacher: Classifier) => softmax(teacher.call(views.clip!), 1);
    const weight = tensor(
      Float32Array.from(ids, (id) => weights.get(id)!),
      { device: views.clip!.device },
    );
    return mixTeachers(probabilities(invariant), probabilities(distinctive), weight);
  });
}

function optimisation(model: Classifier, settings: LabelledSettings) {
  const { steps, learningRate: lr, backboneFactor, weightDecay, warmupSteps } = settings;
  const groups = [{ params: model.fc.parameters() }, { params: model.backbone.parameters(), lr: lr * backboneFactor }];
  return {
    steps,
    optimizer: new optim.Adam(groups, { lr, weightDecay }),
    schedule: warmupCosine({ steps, warmupSteps }),
  };
}

function shareRight(logits: Tensor, labels: Tensor): Tensor {
  return logits.argmax(1).eq(labels).to({ dtype: 'float32' }).mean();
}
