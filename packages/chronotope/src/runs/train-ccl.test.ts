import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadSafetensors, scope } from '@chronotope/torch';
import { createImageBackbone } from '../models/frame-resnet.js';
import { describeWeights, importWeights } from '../models/weights/index.js';
import { loadRecipe, loadRecipeOf } from '../recipes/load.js';
import { tinyRecipe, writeTinyVideos } from '../testing/tiny-videos.js';
import { embedVideos } from './embed.js';
import { evaluateRun } from './evaluate.js';
import { evaluateFeatures } from './evaluate-features.js';
import { exportRun } from './export-weights.js';
import { reportRun } from './report/report-run.js';
import { searchLike } from './search-like.js';
import { trainCcl } from './train-ccl.js';
import { trainTimeBalance } from './train-timebalance.js';

describe('a run of CCL', () => {
  let root = '';
  const at = (...parts: string[]) => join(root, ...parts);
  const recipe = loadRecipeOf('ccl', 'ccl-small', [
    'model.width=2',
    'model.embedding=8',
    'pretrain.epochs=2',
    'pretrain.batch=2',
    'queue.intra=4',
    'evaluation.clips=2',
  ]);

  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'chronotope-ccl-'));
    await writeTinyVideos(at('videos'));
    await trainCcl({ data: at('videos'), out: at('run'), recipe });
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('writes down the queue lengths that the recipe left open', () => {
    const resolved = loadRecipe(at('run', 'recipe.yaml'));
    assert.ok(resolved.method === 'ccl');
    assert.deepEqual(resolved.queue, { intra: 4, cycle: 6, candidates: 2, sameVideo: 'auto' });
  });

  test('is not done twice by the same command, and another recipe is refused', async () => {
    const file = at('run', 'stages', 'pretrain', 'model.safetensors');
    const trained = readFileSync(file);
    await trainCcl({ data: at('videos'), out: at('run'), recipe });
    assert.deepEqual(readFileSync(file), trained);
    await assert.rejects(trainCcl({ data: at('videos'), out: at('run'), recipe: { ...recipe, seed: 2 } }), {
      code: 'run-differs',
    });
  });

  test('its features can be evaluated in three ways, and it has no classifiers', async () => {
    for (const protocol of ['knn', 'linear', 'retrieval'] as const) {
      const { stages, videos } = await evaluateFeatures(at('run'), { protocol });
      assert.equal(videos, 2);
      assert.deepEqual(
        stages.map(({ stage }) => stage),
        ['pretrain'],
      );
      assert.ok(existsSync(at('run', `evaluation-${protocol}.json`)));
    }
    await assert.rejects(evaluateRun(at('run')), { code: 'no-classifiers' });
  });

  test('embeds videos: frames averaged over clips', async () => {
    const out = at('features.safetensors');
    const { videos, dimensions } = await embedVideos(at('run'), [at('videos', 'red', 'r0.mp4')], { out });
    assert.deepEqual([videos, dimensions], [1, 16]);
    scope(() => assert.deepEqual(loadSafetensors(out).tensors.get('features')!.shape, [1, 16]));
  });

  test('finds videos like another one', async () => {
    const example = at('videos', 'red', 'r0.mp4');
    const { hits, videos } = await searchLike(at('run'), at('videos'), example, { count: 3 });
    assert.equal(videos, 7);
    assert.equal(hits.length, 3);
    assert.ok(hits.every(({ path }) => path !== example));
    const again = await searchLike(at('run'), at('videos'), relative('.', example), { count: 3 });
    assert.deepEqual(again.hits, hits);
    const similarities = hits.map(({ similarity }) => similarity);
    assert.deepEqual(
      similarities,
      similarities.toSorted((a, b) => b - a),
    );
    writeFileSync(at('broken.mp4'), 'no video');
    await assert.rejects(searchLike(at('run'), at('videos'), at('broken.mp4')), { code: 'example-unusable' });
  });

  test('has a page with neighbours and cycles, beside other runs of CCL on the same videos', async () => {
    const moco = loadRecipeOf('ccl', 'ccl-small', [
      'model.width=2',
      'pretrain.epochs=1',
      'pretrain.batch=2',
      'queue.intra=4',
      'objective.kind=moco',
    ]);
    const frames = at('run', 'frames');
    await trainCcl({ data: at('videos'), out: at('moco'), recipe: moco, frames });
    const page = readFileSync(await reportRun(at('run'), { against: [at('moco')] }), 'utf8');
    for (const part of ['run (ccl)', 'moco (moco)', 'colours alone', 'its own']) assert.ok(page.includes(part), part);
    const probes = page.slice(page.indexOf('id="probes"'), page.indexOf('id="cycles"'));
    for (const encoder of ['run (ccl)', 'moco (moco)', 'random weights']) {
      const maps = probes.match(
        new RegExp(`alt="Evidence for (red|blue) by ${encoder.replace(/[()]/g, '\\$&')}"`, 'g'),
      );
      assert.equal(maps?.length, 2, `one map a class, by ${encoder}`);
    }
    const alone = readFileSync(await reportRun(at('moco'), { out: at('moco.html') }), 'utf8');
    assert.ok(!alone.includes('id="cycles"'));
  });

  test('goes out as torchvision’s ResNet and as an official checkpoint, which another run can start from', async () => {
    const torchvision = at('resnet18.pth');
    exportRun(at('run'), { out: torchvision });
    const image = createImageBackbone('resnet18', { width: 2, depths: [1, 1, 1, 1] });
    assert.deepEqual(importWeights(image, torchvision).missing, []);
    image.dispose();

    const checkpoint = at('checkpoint_0001.pth.tar');
    exportRun(at('run'), { out: checkpoint, format: 'moco' });
    const { weights, wrapper } = describeWeights(checkpoint, 'state_dict');
    assert.equal(wrapper, 'module.');
    assert.deepEqual(weights.find(({ key }) => key === 'queue_cycle')!.shape, [8, 6]);
    const continued = { ...recipe, model: { ...recipe.model, pretrained: checkpoint } };
    await trainCcl({ data: at('videos'), out: at('continued'), recipe: continued, frames: at('run', 'frames') });
  });

  test('starts TimeBalance, frame by frame: every network of it begins with the encoder', async () => {
    const pretrained = at('resnet18-for-timebalance.pth');
    exportRun(at('run'), { out: pretrained });
    const tiny = tinyRecipe();
    const image = { backbone: 'resnet18', width: 2, depths: [1, 1, 1, 1], pretrained } as const;
    // Nothing is learnt in the supervised stage, so that what it began with can be seen.
    const still = { ...tiny.supervised, steps: 1, learningRate: 1e-30 };
    const settings = { ...tiny, inputSize: 32, supervised: still, baselines: ['supervised' as const] };
    await trainTimeBalance({
      data: at('videos'),
      out: at('timebalance'),
      recipe: { ...settings, model: { ...tiny.model, ...image, depths: [...image.depths] } },
    });
    scope(() => {
      const stages = at('timebalance', 'stages');
      const own = loadSafetensors(join(stages, 'draw-1', 'supervised', 'model.safetensors')).tensors;
      const encoder = loadSafetensors(at('run', 'stages', 'pretrain', 'model.safetensors')).tensors;
      const key = 'backbone.layer1.0.conv1.weight';
      assert.deepEqual(own.get(key)!.data(), encoder.get(`query.${key}`)!.data());
      assert.ok(existsSync(join(stages, 'draw-1', 'student', 'model.safetensors')));
    });
  });
});
