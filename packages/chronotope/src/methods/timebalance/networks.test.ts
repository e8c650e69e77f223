import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { scope } from '@chronotope/torch';
import { BACKBONE_NAMES, R3D18 } from '../../models/index.js';
import { exportWeights } from '../../models/weights/index.js';
import { randomStream } from '../../random.js';
import { loadRecipeOf } from '../../recipes/load.js';
import { hashInput } from '../../testing/hash-fill.js';
import { checkNetwork, newClassifier, newPretextModel, startFromGivenWeights } from './networks.js';
import { viewPlan } from './view-plans.js';

const folder = mkdtempSync(join(tmpdir(), 'networks-'));
after(() => rmSync(folder, { recursive: true }));

const NARROW = ['model.width=2', 'model.depths=[1, 1, 1, 1]', 'model.embedding=4', 'inputSize=32', 'clips.frames=13'];
const recipeWith = (...overrides: string[]) =>
  loadRecipeOf('timebalance', 'timebalance-small', [...NARROW, ...overrides]);

for (const name of BACKBONE_NAMES) {
  test(`${name} can be chosen: pre-training embeds its slices and the classifier takes over its backbone`, () => {
    scope(() => {
      const recipe = recipeWith(`model.backbone=${name}`);
      assert.equal(checkNetwork(recipe), null);
      const pretext = newPretextModel(recipe, 'per-clip').eval();
      const clips = hashInput('clip', 1, [2, 3, 13, 32, 32]);
      const { pooled, slices } = pretext.head.slices(pretext.backbone.call(clips));
      assert.deepEqual(
        [pooled, ...slices].map(({ shape }) => [...shape]),
        Array(5).fill([2, 4]),
      );
      const classifier = newClassifier(recipe, 3, { dropout: 0, pretrained: pretext });
      assert.deepEqual([...classifier.call(clips).shape], [2, 3]);
      const [key, weight] = [...pretext.backbone.stateDict()][0]!;
      assert.deepEqual(classifier.backbone.stateDict().get(key)!.toArray(), weight.toArray());
    });
  });
}

test('depths that are not given are those of the published networks', () => {
  for (const name of BACKBONE_NAMES) {
    assert.equal(checkNetwork(recipeWith(`model.backbone=${name}`, 'model.depths=null')), null, name);
  }
});

test('a transformer takes its blocks, heads and patches from the recipe, and no weights of normalised frames', () => {
  scope(() => {
    const overrides = [
      'model.backbone=space-time-vit',
      'model.width=128',
      'model.depths=[1, 1, 0, 0]',
      'model.patch=8',
    ];
    assert.throws(() => recipeWith(...overrides), { code: 'recipe-invalid', message: /depths/ });
    const recipe = recipeWith(...overrides, 'model.depths=[1, 1, 1, 1]');
    const { backbone } = newClassifier(recipe, 2, { dropout: 0 });
    const keys = [...backbone.stateDict().keys()];
    assert.ok(keys.includes('blocks.3.attn.qkv.weight') && !keys.includes('blocks.4.attn.qkv.weight'));
    assert.deepEqual([...backbone.stateDict().get('patch_embed.proj.weight')!.shape], [128, 3, 8, 8]);
    assert.throws(() => recipeWith(...overrides, 'model.depths=null', 'model.pretrained=vit.pth'), {
      code: 'recipe-invalid',
      message: /model\.pretrained: must be null for space-time-vit/,
    });
    assert.throws(() => checkNetwork(recipeWith('model.backbone=space-time-vit', 'inputSize=30')), {
      code: 'patch-size',
    });
  });
});

test('the head of R3D-50 is as narrow as its embedding, that of the others as wide as the features', () => {
  scope(() => {
    const hidden = (name: string) =>
      newPretextModel(recipeWith(`model.backbone=${name}`), 'per-clip').head.fc1.weight.shape[0];
    assert.equal(hidden('r3d50'), 4);
    assert.equal(hidden('r3d18'), 16);
  });
});

test('clips that a network cannot use are refused before anything is trained', () => {
  assert.throws(() => checkNetwork(recipeWith('model.backbone=r3d18', 'clips.frames=12')), {
    code: 'clip-too-short',
    message: /12 frames leaves 3 time steps, fewer than the 4 slices/,
    hint: /at least 13 frames with R3D18/,
  });
  const shorter = ['model.backbone=r3d18', 'clips.frames=8', 'clips.pretrainFrames=16'];
  assert.equal(checkNetwork(recipeWith(...shorter)), null, 'only pre-training needs slices');
  const [global] = viewPlan(recipeWith(...shorter), 'pretrain-student').clips(
    { frames: 80 },
    randomStream(1, 'clips'),
  )!;
  assert.equal(global!.frames.length, 16);
  assert.throws(() => checkNetwork(recipeWith('model.backbone=r3d50', 'inputSize=24')), {
    code: 'input-too-small',
    hint: /at least 32 pixels/,
  });
  assert.throws(() => recipeWith('model.backbone=r3d34'), { code: 'recipe-invalid', message: /model\.backbone/ });
});

test('networks start from a given file of weights; one of another network is refused before anything is trained', () => {
  scope(() => {
    const given = new R3D18({ width: 2, depths: [1, 1, 1, 1] });
    const file = join(folder, 'given.pth');
    exportWeights(given, file);
    const recipe = recipeWith('model.backbone=r3d18', `model.pretrained=${file}`);
    assert.equal(checkNetwork(recipe)!.format, 'torchvision');
    const { backbone } = newClassifier(recipe, 3, { dropout: 0 });
    startFromGivenWeights(backbone, recipe);
    for (const [key, value] of backbone.stateDict()) {
      assert.deepEqual(value.toArray(), given.stateDict().get(key)!.toArray(), key);
    }
    assert.throws(() => checkNetwork({ ...recipe, model: { ...recipe.model, backbone: 'r3d50' } }), {
      code: 'weights-differ',
    });
    assert.throws(() => checkNetwork(recipeWith('model.pretrained=nowhere.pth')), {
      code: 'io',
      message: /nowhere\.pth/,
    });
  });
});
