import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { distributed, loadSafetensors, scope } from '@chronotope/torch';
import { encodePicture } from '@chronotope/video';
import { loadRecipeOf } from '../recipes/load.js';
import { writeTinyVideos } from '../testing/tiny-videos.js';
import { embedVideos } from './embed.js';
import { evaluateRun } from './evaluate.js';
import { RunFolder } from './run-folder.js';
import { trainCcl } from './train-ccl.js';
import { type FramesEvaluation, trainFrames } from './train-frames.js';

const NETWORK = ['model.width=2', 'model.depths=[1, 1, 1, 1]'];
const TINY = [...NETWORK, 'training.epochs=4', 'training.batch=4', 'evaluation.clips=2'];

describe('classifiers of frames', () => {
  let root = '';
  const at = (...parts: string[]) => join(root, ...parts);
  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'chronotope-frames-'));
    await writeTinyVideos(at('videos'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('a CCL encoder, frozen: the learning rate is searched, the trunk stays what it was', async () => {
    const ccl = ['model.width=2', 'model.embedding=8', 'pretrain.epochs=1', 'pretrain.batch=2', 'queue.intra=4'];
    await trainCcl({ data: at('videos'), out: at('ccl'), recipe: loadRecipeOf('ccl', 'ccl-small', ccl) });
    const pretrained = at('ccl', 'stages', 'pretrain', 'model.safetensors');
    const recipe = loadRecipeOf('frames', 'frames-small', [
      ...TINY,
      `model.pretrained=${pretrained}`,
      'training.learningRates=[0.1, 0.01]',
    ]);
    const evaluation = await trainFrames({ data: at('videos'), out: at('frozen'), recipe });
    assert.equal(evaluation!.videos, 2);
    assert.deepEqual(
      evaluation!.search.tried.map(({ rate }) => rate),
      [0.1, 0.01],
    );
    const written = JSON.parse(readFileSync(at('frozen', 'evaluation.json'), 'utf8')) as FramesEvaluation;
    assert.equal(written.result.top1, evaluation!.result.top1);
    scope(() => {
      const trunk = loadSafetensors(at('frozen', 'stages', 'classifier', 'model.safetensors')).tensors;
      const source = loadSafetensors(pretrained).tensors;
      for (const [key, value] of trunk) {
        if (!key.startsWith('backbone.')) continue;
        assert.deepEqual(value.data(), source.get(`query.${key}`)!.data(), key);
      }
    });
    await assert.rejects(evaluateRun(at('frozen')), { code: 'tested-in-training' });
    const { dimensions } = await embedVideos(at('frozen'), [at('videos', 'red', 'r0.mp4')], {
      out: at('f.safetensors'),
    });
    assert.equal(dimensions, 16);
  });

  test('fine-tuned after a warm-up of the last layer, two colours are told apart', async () => {
    const recipe = loadRecipeOf('frames', 'frames-small', [
      ...TINY,
      'training.trunk=fine-tuned',
      'training.warmupEpochs=1',
      'training.epochs=30',
      'training.learningRates=[0.01]',
      'training.augment.jitter.hue=0',
    ]);
    const evaluation = await trainFrames({ data: at('videos'), out: at('tuned'), recipe });
    assert.deepEqual(evaluation!.search, { chosen: 0.01, tried: [] });
    assert.equal(evaluation!.result.top1, 1);
  });

  test('it is measured on videos that it is not trained on, and the best weights and their average are kept', async () => {
    const recipe = loadRecipeOf('frames', 'frames-small', [
      ...TINY,
      ...['training.learningRates=[0.01]', 'training.batch=2', 'training.accumulate=2', 'training.tensorboard=true'],
      ...['training.validation.every=1', 'training.validation.share=0.5', 'training.ema.decay=0.5'],
    ]);
    await trainFrames({ data: at('videos'), out: at('validated'), recipe });
    const stage = RunFolder.open(at('validated')).stage('classifier');
    assert.ok(stage.metrics().every(({ validation }) => typeof validation!.top1 === 'number'));
    assert.ok('top1' in (stage.result().best as object));
    // One of the two labelled videos of each class is set aside, so an epoch is one batch of two.
    assert.equal(stage.metrics().at(-1)!.step, 4);
    const files = readdirSync(stage.folder);
    for (const name of ['last', 'weights']) assert.ok(files.includes(`${name}.safetensors`), `${files}`);
    const unequal = loadRecipeOf('frames', 'frames-small', [...TINY, 'training.accumulate=3']);
    await assert.rejects(trainFrames({ data: at('videos'), out: at('unequal'), recipe: unequal }), {
      code: 'batch-not-divisible',
    });
  });

  const skip = distributed.availableBackends().includes('gloo') ? false : 'this libtorch has no gloo';
  test('two processes train what one does, and one of them tests', { skip }, async () => {
    const settings = [
      ...[...TINY, 'training.trunk=fine-tuned', 'training.learningRates=[0.01, 0.001]', 'training.epochs=2'],
      ...['training.syncBatchNorm=true', 'training.warmupEpochs=1'],
    ];
    const recipe = loadRecipeOf('frames', 'frames-small', settings);
    await trainFrames({ data: at('videos'), out: at('one'), recipe });
    const launcher = fileURLToPath(new URL('../../../torch/bin/chronotope-run.js', import.meta.url));
    const program = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));
    const args = ['train', 'frames', '--data', at('videos'), '--out', at('two'), '--frames', at('one', 'frames')];
    const { status } = spawnSync(
      process.execPath,
      [launcher, '--nproc', '2', program, ...args, ...settings.flatMap((setting) => ['--set', setting])],
      { env: { ...process.env, OMP_NUM_THREADS: '1' }, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    assert.equal(status, 0);
    const evaluations = ['one', 'two'].map(
      (run) => JSON.parse(readFileSync(at(run, 'evaluation.json'), 'utf8')) as FramesEvaluation,
    );
    assert.deepEqual(evaluations[1]!.search, evaluations[0]!.search);
    const losses = ['one', 'two'].map((run) => {
      return RunFolder.open(at(run)).stage('classifier').metrics().at(-1)!.metrics.loss!;
    });
    assert.ok(Math.abs(losses[0]! - losses[1]!) < 1e-2 * losses[0]!, `losses ${losses}`);
  });

  test('images in class folders, as ImageNet has them; val/ is what is reported on', async () => {
    for (const part of ['train', 'val']) {
      for (const [label, level] of [
        ['dark', 30],
        ['light', 220],
      ] as const) {
        mkdirSync(at('images', part, label), { recursive: true });
        for (let k = 0; k < 3; k++) {
          const picture = { data: new Uint8Array(40 * 48 * 3).fill(level + k), height: 40, width: 48 };
          const file = at('images', part, label, `${'abc'[k]}.jpg`);
          writeFileSync(file, await encodePicture(picture, { format: 'jpeg' }));
        }
      }
    }
    const overrides = [...NETWORK, 'model.backbone=resnet18', 'inputSize=32', 'frames.shortSide=40'];
    const recipe = loadRecipeOf('frames', 'frames-imagenet-linear', [
      ...overrides,
      'training.epochs=60',
      'training.batch=6',
      'training.learningRates=[0.1]',
      'model.width=8',
      'training.milestones=[]',
    ]);
    const evaluation = await trainFrames({ data: at('images'), out: at('linear'), recipe });
    assert.equal(evaluation!.videos, 6);
    assert.deepEqual(evaluation!.classes, ['dark', 'light']);
    assert.ok(evaluation!.result.top1 > 0.5);
  });

  test('data without classes are refused', async () => {
    const recipe = loadRecipeOf('frames', 'frames-small', TINY);
    await assert.rejects(trainFrames({ data: at('videos', '_unlabelled'), out: at('none'), recipe }), {
      code: 'one-class',
    });
  });
});
