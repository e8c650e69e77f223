import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cat, distributed, loadSafetensors, scope, type Tensor } from '@chronotope/torch';
import { formatRecipe, loadRecipeOf } from '../recipes/load.js';
import { printedByTwoProcesses } from '../testing/chronotope-processes.js';
import { readEvents } from '../testing/tensorboard-reader.js';
import { tinyRecipe, writeTinyVideos } from '../testing/tiny-videos.js';
import { writeFileAtomic } from '../training/json-files.js';
import { RunFolder } from './run-folder.js';
import { trainTimeBalance } from './train-timebalance.js';

const STAGES = ['pretrain-invariant', 'draw-1/supervised', 'draw-1/teacher-distinctive', 'draw-1/student'];

/** What of their batches stages show. */
const PICTURES: Record<string, string[]> = {
  'pretrain-invariant': ['batch/globals', 'clips/globals', 'batch/locals', 'clips/locals'],
  supervised: ['batch/clip', 'clips/clip'],
  'teacher-distinctive': ['batch/clip', 'clips/clip'],
  student: ['batch/labelled clip', 'clips/labelled clip', 'batch/unlabelled clip', 'clips/unlabelled clip'],
};

describe('the training settings of a recipe', () => {
  let root = '';
  let data = '';
  let frames = '';
  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope-settings-'));
    data = path.join(root, 'videos');
    frames = path.join(root, 'frames');
    await writeTinyVideos(data);
    writeFileAtomic(path.join(root, 'tiny.yaml'), formatRecipe({ ...tinyRecipe(), baselines: ['supervised'] }));
  });
  after(() => rmSync(root, { recursive: true }));

  const recipeWith = (...overrides: string[]) => loadRecipeOf('timebalance', path.join(root, 'tiny.yaml'), overrides);

  test('reach every stage; classifiers are measured on videos that they are not trained on', async () => {
    const recipe = recipeWith(
      'training.accumulate=2',
      'training.clipGradients=0.5',
      'training.ema.decay=0.9',
      'training.schedule.name=step',
      'training.validation.every=5',
      'supervised.steps=20',
      'training.validation.share=0.5',
      'training.tensorboard=true',
    );
    const out = path.join(root, 'everything');
    await trainTimeBalance({ data, out, recipe, frames });
    const run = RunFolder.open(out);
    for (const name of STAGES) {
      const stage = run.stage(name);
      assert.ok(
        stage.metrics().every(({ metrics }) => metrics.gradientNorm! > 0),
        name,
      );
      assert.ok(existsSync(path.join(stage.folder, 'weights.safetensors')), name);
      const shown = readEvents(path.join(stage.folder, 'events.out.tfevents.chronotope')).flatMap(
        ({ values }) => values,
      );
      const pictures = shown.filter(({ image }) => image).map(({ tag }) => tag);
      assert.deepEqual(new Set(pictures), new Set(PICTURES[name.replace('draw-1/', '')]), name);
      assert.ok(shown.some(({ metadata }) => metadata));
      const validated = stage.metrics().filter(({ validation }) => validation);
      assert.equal(validated.length > 0, name.startsWith('draw'), name);
    }
    const supervised = run.stage('draw-1/supervised');
    const rates = supervised.metrics().map(({ learningRate }) => learningRate);
    assert.ok(Math.abs(rates.at(-1)! / rates[1]! - 0.01) < 1e-9, `${rates}`);
    assert.ok('top1' in (supervised.result().best as object));
    const [aside] = JSON.parse(readFileSync(run.path('validation.json'), 'utf8')) as string[][];
    assert.deepEqual(
      aside!.map((id) => id.split('/')[0]),
      ['blue', 'red'],
      'one of the two labelled videos of each class',
    );
    const { labels } = JSON.parse(readFileSync(run.path('data.json'), 'utf8')) as { labels: object[] };
    assert.equal(Object.keys(labels[0]!).length, 4, 'the labels of the run are still all known');
    const quieter = { ...recipe, training: { ...recipe.training, tensorboard: false } };
    await trainTimeBalance({ data, out, recipe: quieter, frames });
    const other = { ...recipe, training: { ...recipe.training, amp: 'bfloat16' as const } };
    await assert.rejects(trainTimeBalance({ data, out, recipe: other, frames }), { code: 'run-differs' });
  });

  test('a batch that has no equal parts, and labels that are too few to set some aside, are refused', async () => {
    const train = (...overrides: string[]) =>
      trainTimeBalance({ data, frames, out: path.join(root, overrides[0]!), recipe: recipeWith(...overrides) });
    await assert.rejects(train('training.accumulate=3'), { code: 'batch-not-divisible', hint: /training\.accumulate/ });
    assert.ok(!existsSync(path.join(root, 'training.accumulate=3')), 'before anything is written');
    await assert.rejects(train('training.validation.every=5', 'training.validation.share=0.9'), {
      code: 'too-few-labels',
    });
  });

  const skip = distributed.availableBackends().includes('gloo') ? false : 'this libtorch has no gloo';
  test('two processes train what one does, through all stages', { skip }, async () => {
    const shared = [
      'training.syncBatchNorm=true',
      'supervised.steps=4',
      ...['supervised', 'teacher', 'student'].map((stage) => `${stage}.dropout=0`),
    ];
    await trainTimeBalance({ data, frames, out: path.join(root, 'one'), recipe: recipeWith(...shared) });
    const out = path.join(root, 'two');
    const args = ['--data', data, '--out', out, '--frames', frames, '--recipe', path.join(root, 'tiny.yaml'), '--json'];
    const settings = shared.flatMap((key) => ['--set', key]);
    const printed = await printedByTwoProcesses(['train', 'timebalance', ...args, ...settings]);
    assert.equal(printed.match(/^\[\d\] \{$/gm)?.length, 1, 'one process prints the result');
    for (const name of STAGES) {
      const [one, two] = ['one', 'two'].map((run) => RunFolder.open(path.join(root, run)).stage(name));
      const losses = [one!, two!].map((stage) => stage.metrics().at(-1)!.metrics.loss!);
      assert.ok(Math.abs(losses[0]! - losses[1]!) < 1e-3 * losses[0]!, `${name}: losses ${losses}`);
      const difference = relativeDifference(one!.modelFile, two!.modelFile);
      assert.ok(difference < 1e-2, `${name}: ${difference}`);
    }
  });

  /** How far apart the weights in two files are, relative to their size. */
  function relativeDifference(one: string, two: string): number {
    return scope(() => {
      const [a, b] = [one, two].map((file) => loadSafetensors(file).tensors);
      const flat = (tensors: ReadonlyMap<string, Tensor>) =>
        cat([...tensors.values()].map((values) => values.to({ dtype: 'float64' }).reshape([-1])));
      return flat(a!).sub(flat(b!)).norm(2).div(flat(a!).norm(2)).item();
    });
  }
});
