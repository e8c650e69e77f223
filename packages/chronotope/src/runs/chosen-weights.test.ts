import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadSafetensors, scope } from '@chronotope/torch';
import { loadRecipeOf } from '../recipes/load.js';
import { tinyLss } from '../testing/tiny-lss.js';
import { tinyRecipe, writeTinyVideos } from '../testing/tiny-videos.js';
import { embedVideos } from './embed.js';
import { evaluateRun } from './evaluate.js';
import { evaluateFeatures } from './evaluate-features.js';
import { evaluateFineTuned } from './evaluate-fine-tune.js';
import { exportRun } from './export-weights.js';
import { trainCcl } from './train-ccl.js';
import { trainLss } from './train-lss.js';
import { trainTimeBalance } from './train-timebalance.js';

describe('weights other than the result of a stage', () => {
  let root = '';
  const at = (...parts: string[]) => path.join(root, ...parts);
  const shared = (out: string) => ({ data: at('videos'), out: at(out), frames: at('frames', out), workers: 0 });
  /** The features that a network gives a video. */
  const features = async (run: string, stage: string, checkpoint?: string) => {
    const out = at('features.safetensors');
    await embedVideos(at(run), [at('videos', 'red', 'r0.mp4')], { out, stage, checkpoint });
    return scope(() => {
      const { tensors, metadata } = loadSafetensors(out);
      assert.equal(metadata.checkpoint, checkpoint);
      return [...(tensors.get('features')!.data() as Float32Array)];
    });
  };

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope weights '));
    await writeTinyVideos(at('videos'));
    const recipe = loadRecipeOf('ccl', 'ccl-small', [
      ...['model.width=2', 'model.embedding=8', 'pretrain.epochs=2', 'pretrain.batch=2', 'queue.intra=4'],
      ...['evaluation.clips=2', 'training.checkpoints.every=1', 'training.checkpoints.keep=2'],
    ]);
    await trainCcl({ ...shared('ccl'), recipe });
    await trainLss({ ...shared('lss'), recipe: tinyLss(['training.checkpoints.every=1']) });
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('a kept step of CCL: the last one is the result, the one before is not', async () => {
    const result = await features('ccl', 'pretrain');
    assert.deepEqual(await features('ccl', 'pretrain', '6'), result);
    assert.notDeepEqual(await features('ccl', 'pretrain', '5'), result);
  });

  test('every protocol of features takes one, says so, and leaves the evaluation of the run alone', async () => {
    for (const protocol of ['knn', 'linear', 'linear-sgd', 'retrieval'] as const) {
      const { stages, protocol: used } = await evaluateFeatures(at('ccl'), { protocol, checkpoint: '5' });
      assert.deepEqual([stages.length, used.checkpoint], [1, '5']);
      assert.match(stages[0]!.title, /: step 5$/);
      assert.ok(!existsSync(at('ccl', `evaluation-${protocol}.json`)));
    }
    const settings = { length: { steps: 1 } };
    const { stages, protocol } = await evaluateFineTuned(at('ccl'), { checkpoint: '5', settings, workers: 0 });
    assert.deepEqual([stages.length, protocol.checkpoint], [1, '5']);
    assert.ok(!existsSync(at('ccl', 'evaluation-fine-tune.json')));
  });

  test('student and teacher of LSS are parts of what was trained together', async () => {
    for (const stage of ['student', 'teacher']) {
      const result = await features('lss', stage);
      assert.deepEqual(await features('lss', stage, '4'), result, stage);
      assert.notDeepEqual(await features('lss', stage, '2'), result, stage);
      const file = at('lss', 'stages', 'self-distillation', 'step-4.safetensors');
      assert.deepEqual(await features('lss', stage, file), result, `${stage}, by file`);
    }
    await assert.rejects(features('lss', 'start', '4'), { code: 'checkpoint-missing', hint: /kept none/ });
  });

  test('a step that was not kept, a file that is not there, and one of another network are refused', async () => {
    await assert.rejects(features('ccl', 'pretrain', '4'), { code: 'checkpoint-missing', hint: /has kept 5, 6\./ });
    await assert.rejects(features('ccl', 'pretrain', 'best'), { code: 'checkpoint-missing', hint: /5, 6/ });
    await assert.rejects(features('ccl', 'pretrain', at('no.safetensors')), { code: 'checkpoint-missing' });
    const other = at('lss', 'stages', 'teacher', 'model.safetensors');
    await assert.rejects(features('ccl', 'pretrain', other), { code: 'checkpoint-differs' });
  });

  test('files of other programs: torchvision’s keys, and the official checkpoint', async () => {
    const result = await features('ccl', 'pretrain');
    exportRun(at('ccl'), { out: at('resnet18.pth') });
    exportRun(at('ccl'), { out: at('moco.pth.tar'), format: 'moco' });
    assert.deepEqual(await features('ccl', 'pretrain', at('resnet18.pth')), result);
    assert.deepEqual(await features('ccl', 'pretrain', at('moco.pth.tar')), result);
    await assert.rejects(features('lss', 'teacher', at('resnet18.pth')), { code: 'weights-differ' });
  });

  test('classifiers: a step of every label draw, or a file, which is one network', async () => {
    const tiny = tinyRecipe();
    const recipe = {
      ...{ ...tiny, baselines: ['supervised' as const], supervised: { ...tiny.supervised, steps: 4 } },
      training: { ...tiny.training, checkpoints: { every: 2, keep: 2 } },
    };
    await trainTimeBalance({ ...shared('timebalance'), recipe, labelsPerClass: 1, labelDraws: 2 });
    const evaluate = (checkpoint?: string) => evaluateRun(at('timebalance'), { stages: ['supervised'], checkpoint });
    const confidences = async (checkpoint?: string) =>
      (await evaluate(checkpoint)).stages[0]!.draws.map(({ confidence }) => confidence);
    const result = await confidences();
    assert.deepEqual(await confidences('4'), result);
    assert.notDeepEqual(await confidences('2'), result);
    const file = at('timebalance', 'stages', 'draw-2', 'supervised', 'model.safetensors');
    assert.deepEqual(await confidences(file), [result[1]]);

    exportRun(at('timebalance'), { out: at('classifier.safetensors'), stage: 'supervised' });
    assert.deepEqual(await confidences(at('classifier.safetensors')), [result[0]]);
    exportRun(at('timebalance'), { out: at('backbone.safetensors'), stage: 'pretrain-student' });
    await assert.rejects(evaluate(at('backbone.safetensors')), { code: 'weights-differ', message: /fc\.weight/ });
    const whole = readFileSync(at('timebalance', 'evaluation.json'));
    const { stages, protocol } = await evaluateRun(at('timebalance'), { checkpoint: '2' });
    assert.deepEqual([stages.map(({ stage }) => stage), protocol.checkpoint], [['student'], '2']);
    assert.deepEqual(readFileSync(at('timebalance', 'evaluation.json')), whole);
  });
});
