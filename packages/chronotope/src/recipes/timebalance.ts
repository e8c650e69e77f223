import { z } from 'zod';
import { augment, count, frames, inputSize, learningRate, positive, seed, share, weightDecay } from './parts.js';
import { trainingSettings } from './training.js';

const weight = z.number().min(0);

/**
 * The settings of one self-supervised pre-training.
 *
 * @param weights of the three losses, where a recipe does not give them: those of the method (note 1)
 */
function pretextSettings(weights: { instance: number; localLocal: number; globalLocal: number }) {
  return z.strictObject({
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
    weights: z
      .strictObject({
        instance: weight.default(weights.instance).describe('clips of a video alike: the invariant term'),
        localLocal: weight.default(weights.localLocal).describe('local clips of different times apart: D1'),
        globalLocal: weight.default(weights.globalLocal).describe('slices of the global clip by time: D2'),
      })
      .refine((terms) => Object.values(terms).some((value) => value > 0), 'one weight must be above 0')
      .prefault({})
      .describe('of the three losses; one of weight 0 is not computed. Those of paper and code if not given'),
    from: z
      .string()
      .nullable()
      .default(null)
      .describe('a file of weights, or a TimeBalance run, whose network is taken instead of pre-training one'),
    fromChannels: z
      .enum(['auto', 'rgb', 'bgr'])
      .default('auto')
      .describe('colours that the weights of from expect; auto: bgr for the keys of TCLR, else rgb'),
  });
}

const labelled = z.strictObject({
  steps: count.describe('optimiser steps in all, unless epochs says it'),
  epochs: count.nullable().default(null).describe('passes over the labelled videos instead of a number of steps'),
  batch: count.min(2).describe('labelled videos in a step'),
  learningRate,
  backboneFactor: z
    .number()
    .min(0)
    .describe(
      'learning rate of the backbone relative to that of the new classifier layer; 0 freezes it, with its batch statistics',
    ),
  weightDecay,
  warmupSteps: z.number().int().min(0).describe('steps in which the learning rate rises from near 0'),
  warmupEpochs: z.number().min(0).nullable().default(null).describe('the same in epochs, instead of warmupSteps'),
  dropout: share.describe('share of the features set to 0 before the classifier layer'),
  augment,
  balanced: z
    .boolean()
    .default(false)
    .describe(
      'labelled videos of every class equally often, whatever their number; off takes each video once an epoch',
    ),
});

const distance = z.enum(['l2', 'kld', 'l2-per-video']);
const start = z.enum(['student', 'invariant', 'distinctive', 'scratch']);
const similarity = z.strictObject({
  clips: count.min(2).describe('clips of a video that are compared'),
  stride: count.describe('frames from one frame of such a clip to the next'),
  placement: z.enum(['spread', 'consecutive']).describe('over the whole video, or without gaps in its middle'),
  source: z
    .enum(['pretrained', 'fine-tuned', 'projection', 'logits'])
    .describe(
      "what is compared: features of the pre-trained networks or of the teachers, what the heads of pre-training make of them, or the teachers' logits",
    ),
  teachers: z.enum(['both', 'invariant', 'distinctive']).default('both').describe('the networks that are asked'),
  map: z
    .enum(['min-max', 'identity', 'half-shifted', 'rank', 'inverted', 'mean', 'constant'])
    .describe(
      'from score to weight of the invariant teacher; half-shifted: (s + 1) / 2; mean gives all videos the same, constant gives 1/2',
    ),
});

const student = labelled.extend({
  unlabelledBatch: count.min(2).describe('unlabelled videos in a step'),
  epochLength: z
    .enum(['shorter', 'longer'])
    .default('shorter')
    .describe('an epoch ends with the labelled or the unlabelled videos, whichever is sooner (official) or later'),
  distillation: distance.describe('distance between the predictions of the student and of its teachers'),
  supervisedWeight: weight.describe('cross-entropy on the labelled videos'),
  labelledWeight: weight.describe('distillation on the labelled videos'),
  unlabelledWeight: weight.describe('distillation on the unlabelled videos'),
  rampUp: share.default(0).describe('share of the steps in which both distillation weights rise from near 0'),
  start: start.describe('pre-training the student starts from'),
  teachers: z
    .enum(['live', 'cached'])
    .default('live')
    .describe('teachers see the clips of the student (official), or each video once before the training starts'),
  teacherPair: z
    .array(z.enum(['invariant', 'distinctive']))
    .min(1)
    .max(2)
    .default(['invariant', 'distinctive'])
    .describe('the teachers; of two of one kind the second is pre-trained from another seed, and both weigh the same'),
  mixing: z.enum(['probabilities', 'logits']).default('probabilities').describe('what of the teachers is averaged'),
  teacherTemperature: positive.default(1).describe('below 1 sharpens what the teachers say'),
  teacherBalance: z
    .enum(['none', 'labelled'])
    .default('none')
    .describe(
      'labelled: over all videos the teachers name each class as often as it is labelled; assumes that mix of classes',
    ),
  teacherConfidence: share.default(0).describe('videos whose teachers are less sure than this are not distilled'),
});

const semiSupervised = z.strictObject({
  start: start.default('scratch').describe('pre-training they start from'),
  pseudoLabel: z
    .strictObject({
      threshold: share.default(0.95).describe('only predictions this sure become labels; 0 takes all, as published'),
      weight: weight.default(1).describe('of the unlabelled videos'),
      rampUp: share.default(0.2).describe('share of the steps in which the weight rises, linearly'),
    })
    .prefault({})
    .describe('pseudo-label (Lee 2013)'),
  meanTeacher: z
    .strictObject({
      decay: share.default(0.99).describe('of the average of the weights, from step to step'),
      distance: distance.default('l2-per-video').describe('between the network and its average'),
      weight: weight.default(10).describe('of the consistency, on labelled and unlabelled videos'),
      rampUp: share.default(0.2).describe('share of the steps in which the weight rises'),
    })
    .prefault({})
    .describe('mean-teacher (Tarvainen and Valpola 2017); the average is what is tested'),
  fixMatch: z
    .strictObject({
      threshold: share.default(0.95).describe('only predictions this sure become labels'),
      weight: weight.default(1).describe('of the unlabelled videos'),
      temperature: positive
        .nullable()
        .default(null)
        .describe('learn from distributions sharpened by this instead of labels (UDA)'),
    })
    .prefault({})
    .describe('fixmatch (Sohn et al. 2020): weak views are augmented as supervised, strong ones as student'),
});

/** Some of the settings of a group, at any depth. */
type Changes<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [Key in keyof T]?: Changes<T[Key]> | undefined }
    : T;

/** Every setting of a group and of the groups in it, none of them needed: for what changes some of them. */
function changesOf<Group extends z.ZodObject>(group: Group): z.ZodType<Changes<z.infer<Group>>> {
  const optional = Object.entries(group.shape).map(([name, setting]) => {
    const own = setting instanceof z.ZodDefault ? setting.unwrap() : setting;
    const changes = own instanceof z.ZodObject ? changesOf(own) : (own as z.ZodType);
    return [name, changes.optional()];
  });
  return z.strictObject(Object.fromEntries(optional)) as unknown as ReturnType<typeof changesOf<Group>>;
}

const plainTraining = trainingSettings.unwrap();
const plainSchedule = plainTraining.shape.schedule.unwrap();

/** The settings of every method, with the learning rates of the published code as further schedules. */
const training = plainTraining
  .extend({
    schedule: plainSchedule
      .extend({
        name: z
          .enum([...plainSchedule.shape.name.unwrap().options, 'official-timebalance', 'official-tclr'])
          .default('cosine')
          .describe(
            'how the learning rate falls after the warm-up; the official ones are those of published code, epoch by epoch, with warm-ups of their own',
          ),
      })
      .prefault({})
      .describe(plainTraining.shape.schedule.description!),
    optimizer: z
      .strictObject({
        name: z
          .enum(['adam', 'adamw', 'sgd'])
          .default('adam')
          .describe('adam is official; adamw keeps weightDecay out of the gradients; sgd wants other learning rates'),
        momentum: share.default(0.9).describe('sgd only'),
      })
      .prefault({})
      .describe('what updates the weights, in every stage'),
  })
  .prefault({})
  .describe(trainingSettings.description!);

const BASELINES = [
  'supervised',
  'supervised-strong',
  'pre-trained',
  'pseudo-label',
  'mean-teacher',
  'fixmatch',
] as const;

/** Every setting of a TimeBalance run. Unknown keys are errors. */
export const timebalanceRecipe = z.strictObject({
  method: z.literal('timebalance').describe('what is learnt'),
  seed,
  frames,
  clips: z
    .strictObject({
      frames: count.min(2).describe('frames of a clip'),
      stride: count.describe('frames from one frame of a clip to the next, for recognition'),
      pretrainFrames: count
        .min(2)
        .nullable()
        .default(null)
        .describe('frames of a clip of pre-training; null: as many as of the others'),
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
        .enum(['small-r3d', 'r3d18', 'r2plus1d18', 'mc3-18', 'r3d50', 'resnet18', 'resnet50', 'space-time-vit'])
        .describe(
          'small-r3d trains on a CPU; the resnets see single frames, see docs/ccl.md; a transformer: docs/models.md',
        ),
      stemWidth: count.describe('small-r3d only: channels of the first convolution'),
      widths: z.array(count).min(1).describe('small-r3d only: channels of each stage'),
      blocks: count.describe('small-r3d only: blocks of each stage'),
      width: count
        .nullable()
        .default(null)
        .describe(
          'not small-r3d: channels of the first stage, or numbers of a token; null takes the published 64, or 768',
        ),
      depths: z
        .tuple([count, count, count, count])
        .nullable()
        .default(null)
        .describe('not small-r3d: blocks of each stage (space-time-vit: their sum); null as published'),
      patch: count.default(16).describe('space-time-vit only: height and width of a patch in pixels'),
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
    .refine(({ backbone, pretrained }) => backbone !== 'space-time-vit' || pretrained === null, {
      message: 'must be null for space-time-vit: its weights are of normalised frames, which this method does not have',
      path: ['pretrained'],
    })
    .describe('the network'),
  pretrain: z
    .strictObject({
      invariant: pretextSettings({ instance: 1, localLocal: 0, globalLocal: 0 }).describe(
        'stage A_I: all clips of a video alike',
      ),
      distinctive: pretextSettings({ instance: 0, localLocal: 1, globalLocal: 1 }).describe(
        'stage A_D: clips of different times apart',
      ),
      student: pretextSettings({ instance: 1, localLocal: 1, globalLocal: 1 }).describe(
        'stage A_S: both, for the student to start from',
      ),
    })
    .describe('stages A_I, A_D, A_S'),
  training,
  supervised: labelled.describe('the baseline: labels only, from scratch'),
  teacher: labelled.describe('stage B: fine-tuning of each teacher on the labels'),
  similarity: similarity.describe('stage C: temporal similarity scores (TSTR)'),
  student: student.describe('stage D: the student'),
  baselines: z
    .array(z.enum(BASELINES))
    .refine((names) => new Set(names).size === names.length, 'names a baseline twice')
    .default(['supervised', 'supervised-strong', 'pre-trained'])
    .describe('what the student is compared with'),
  semiSupervised: semiSupervised
    .prefault({})
    .describe(
      'the baselines pseudo-label, mean-teacher and fixmatch; steps, batches and optimiser are those of student',
    ),
  students: z
    .record(
      z
        .string()
        .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected a name of small letters and digits, such as plain-average'),
      z.strictObject({ student: changesOf(student).optional(), similarity: changesOf(similarity).optional() }),
    )
    .default({})
    .describe('further students of the same teachers, by name: what to change of student and similarity for each'),
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
export type PretextSettings = TimeBalanceRecipe['pretrain']['student'];

/** What updates the weights. */
export type OptimizerSettings = TimeBalanceRecipe['training']['optimizer'];

/** Settings of a training on labels alone. */
export type LabelledSettings = z.infer<typeof labelled>;

/** Settings of the student: labels and distillation from the teachers. */
export type StudentSettings = TimeBalanceRecipe['student'];

/** Names of the baselines that a run can train. */
export type Baseline = TimeBalanceRecipe['baselines'][number];
