import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fidelityOverrides } from '../../recipes/fidelity.js';
import { loadRecipeOf } from '../../recipes/load.js';
import type { LabelledSettings, TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { readGolden } from '../../testing/golden.js';
import { type PublishedRates, publishedRate } from './published-rates.js';
import type { Pretext } from './stages.js';

type Config = Record<string, unknown>;

const { configs } = readGolden<{ configs: Record<string, Config> }>('timebalance/official_configs.json');
const ofTimeBalance = (name: string) => configs[`TimeBalance/configs/${name}.py`]!;
const PRESETS = ['timebalance-ucf101', 'timebalance-hmdb51', 'timebalance-kinetics400'];

/** What a configuration says that is no setting of ours, and why. */
const LEFT_OUT: Record<string, string> = {
  dataset: 'given by --data',
  dl_mode: 'given by --split',
  data_percentage: 'always 1',
  num_workers: 'the loader decides',
  num_classes: '102 for the 101 of UCF101; ours is that of the data',
  num_dims: 'unused there: the embedding has 128',
  opt_type: 'Adam is the only optimiser of the method',
  normalize: 'off: frames are values from 0 to 1',
  RGB: 'on',
  frozen_bb: 'off: networks train as a whole',
  frozen_bn: 'off',
  linear: 'off',
  aspect_ratio_aug: 'off',
  warmup: 'taken for a number of epochs there, with what published-rates.test.ts compares',
  scheduler_patience: 'compared there',
  drop_factor: 'compared there',
  lr_scheduler: 'compared there',
  val_freq: 'the code measures on the test videos; ours sets training videos aside',
  val_array: 'the same',
  v_batch_size: 'changes no result',
  ori_reso_h: 'compared below; that of Kinetics is ours',
  ori_reso_w: 'that of the video',
};

/** The values that all five configurations have, as a preset has them. */
const common = ({ model, inputSize, training }: TimeBalanceRecipe): Config => ({
  backbone: model.backbone.toUpperCase(),
  kin_pretrained: model.pretrained !== null,
  reso_h: inputSize,
  reso_w: inputSize,
  warmup_array: firstRates(training.schedule.name as PublishedRates, 'labels'),
});

function ofPretraining(recipe: TimeBalanceRecipe, pretext: Pretext): Config {
  const { clips, pretrain } = recipe;
  const settings = pretrain[pretext];
  const { instance, localLocal, globalLocal } = settings.weights;
  return {
    ...common(recipe),
    num_frames: clips.pretrainFrames,
    sr_ratio: clips.globalStride,
    fix_skip: clips.stride,
    batch_size: settings.batch,
    learning_rate: settings.learningRate,
    weight_decay: settings.weightDecay,
    num_epochs: settings.epochs,
    temperature: settings.temperature,
    ic_weight: instance,
    tcl_weight: localLocal * settings.localLocalScale,
    tcg_weight: globalLocal,
    augmentations_dict: { cropping_fac: settings.augment.crop[0], blur: 'blur' in settings.augment },
  };
}

function ofLabels(recipe: TimeBalanceRecipe, settings: LabelledSettings): Config {
  const { clips, evaluation } = recipe;
  return {
    ...common(recipe),
    num_frames: clips.frames,
    sr_ratio: clips.globalStride,
    fix_skip: clips.stride,
    batch_size: settings.batch,
    learning_rate: settings.learningRate,
    num_epochs: settings.epochs,
    min_crop_factor_training: settings.augment.crop[0],
    two_random_erase: settings.augment.erase.count === 2,
    num_modes: evaluation.clips,
    cropping_facs: [evaluation.centreCrop],
  };
}

function ofStudent(recipe: TimeBalanceRecipe): Config {
  const { student } = recipe;
  return {
    ...ofLabels(recipe, student),
    batch_size: student.unlabelledBatch,
    ssl_method: student.start === 'student' ? 'tclr_ssl' : student.start,
    teacher_supervision: student.distillation,
    supervised_weight: student.supervisedWeight,
    labeled_teacher_loss_weight: student.labelledWeight,
    unlabeled_teacher_loss_weight: student.unlabelledWeight,
  };
}

/** The factors of the learning rate in the epochs of the warm-up, while nothing improves. */
function firstRates(name: PublishedRates, learnsFrom: 'videos' | 'labels', epochs = 10): number[] {
  const rate = publishedRate(name, { learnsFrom, stepsPerEpoch: 1 });
  return Array.from({ length: epochs }, (_, epoch) => {
    const { factor } = rate;
    rate.takeLoss(epoch + 1, 1);
    return factor;
  });
}

/** That a preset has every value of a configuration, apart from {@link LEFT_OUT}; numbers to 12 digits. */
function assertSame(actual: Config, expected: Config, what: string): void {
  const wanted = Object.entries(expected).filter(([key]) => !(key in LEFT_OUT));
  const rounded = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, part) => (typeof part === 'number' ? Number(part.toPrecision(12)) : part));
  for (const [key, value] of wanted) assert.deepEqual(rounded(actual[key]), rounded(value), `${what}: ${key}`);
}

for (const name of PRESETS) {
  test(`${name} has the values of the official configuration files`, () => {
    const recipe = loadRecipeOf('timebalance', name, fidelityOverrides('official-code'));
    assertSame(ofPretraining(recipe, 'invariant'), ofTimeBalance('conf_inv_teacher'), 'invariant');
    assertSame(ofPretraining(recipe, 'distinctive'), ofTimeBalance('conf_dist_teacher'), 'distinctive');
    assertSame(ofPretraining(recipe, 'student'), ofTimeBalance('conf_ssl'), 'start of the student');
    assertSame(ofLabels(recipe, recipe.teacher), ofTimeBalance('conf_finetune'), 'teacher');
    assertSame(ofLabels(recipe, recipe.supervised), ofTimeBalance('conf_finetune'), 'supervised');
    assertSame(ofStudent(recipe), ofTimeBalance('conf_semisup'), 'student');
  });
}

test("the frames of UCF101 and HMDB51 are stored at the code's height", () => {
  for (const name of ['timebalance-ucf101', 'timebalance-hmdb51']) {
    const { frames } = loadRecipeOf('timebalance', name);
    assert.equal(frames.shortSide, ofTimeBalance('conf_finetune').ori_reso_h);
  }
});

test("TCLR's pre-training is that of the student's start, apart from its size, rate and schedule", () => {
  const tclr = configs['TCLR/tclr_pretraining/parameters.py']!;
  const { warmup, warmup_array: rates, learning_rate, reso_h, reso_w, ...rest } = tclr;
  assert.deepEqual([learning_rate, reso_h, reso_w], [0.001, 112, 112]);
  assert.deepEqual(firstRates('official-tclr', 'videos', warmup as number), rates);
  assertSame(ofPretraining(loadRecipeOf('timebalance', PRESETS[0]!), 'student'), rest, 'TCLR');
});
