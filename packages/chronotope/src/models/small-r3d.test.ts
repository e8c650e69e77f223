import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory, nn, scope, tensor } from '@chronotope/torch';
import { hashInput } from '../testing/hash-fill.js';
import { Classifier } from './classifier.js';
import { type BackboneConfig, createBackbone } from './registry.js';
import { SmallR3D } from './small-r3d.js';

test('8 frames end in 4 steps; size shrinks by 16; forward pools over space', () => {
  scope(() => {
    const network = new SmallR3D();
    const clips = hashInput('clip', 1, [2, 3, 8, 32, 48]);
    assert.deepEqual([...network.featureMap(clips).shape], [2, 64, 4, 2, 3]);
    assert.deepEqual([...network.call(clips).shape], [2, 64, 4, 1, 1]);
    network.dispose();
  });
});

test('keys name the stem, and stage, block and layer', () => {
  scope(() => {
    const network = new SmallR3D({
      widths: [4, 8],
      strides: [
        [1, 1, 1],
        [1, 2, 2],
      ],
      blocksPerStage: 2,
    });
    const weights = [...network.namedParameters()].filter(([, { ndim }]) => ndim === 5);
    assert.deepEqual(
      weights.map(([key, { shape }]) => `${key} [${shape}]`),
      [
        'stem.0.weight [4,3,3,3,3]',
        'stages.0.0.conv1.0.weight [4,4,3,3,3]',
        'stages.0.0.conv2.0.weight [4,4,3,3,3]',
        'stages.0.1.conv1.0.weight [4,4,3,3,3]',
        'stages.0.1.conv2.0.weight [4,4,3,3,3]',
        'stages.1.0.conv1.0.weight [8,4,3,3,3]',
        'stages.1.0.conv2.0.weight [8,8,3,3,3]',
        'stages.1.0.downsample.0.weight [8,4,1,1,1]',
        'stages.1.1.conv1.0.weight [8,8,3,3,3]',
        'stages.1.1.conv2.0.weight [8,8,3,3,3]',
      ],
    );
    network.dispose();
  });
});

test('a clip too short for the slices is refused', () => {
  scope(() => {
    const network = new SmallR3D();
    assert.throws(() => network.call(hashInput('clip', 1, [2, 3, 4, 16, 16])), {
      code: 'clip-too-short',
      message: /4 frames leaves 2 time steps, fewer than the 4 slices/,
    });
    network.dispose();
  });
});

test('longer clips average equal spans of time into each slice', () => {
  scope(() => {
    const network = new SmallR3D({ slices: 2 }).eval();
    const clips = hashInput('clip', 1, [1, 3, 8, 16, 16]);
    const expected = network.featureMap(clips).reshape([1, 64, 2, 2]).mean([3]);
    const difference = network.call(clips).reshape([1, 64, 2]).sub(expected).abs().sum().item();
    assert.ok(difference < 1e-4, `${difference}`);
    network.dispose();
  });
});

test('widths and strides of different lengths are refused', () => {
  assert.throws(() => new SmallR3D({ widths: [4, 8] }), { code: 'model-options' });
});

test('createBackbone makes the named backbone with its options and refuses other names', () => {
  const backbone = createBackbone({ name: 'small-r3d', widths: [4, 6, 10], slices: 2 });
  assert.ok(backbone instanceof SmallR3D);
  assert.deepEqual([backbone.features, backbone.slices], [10, 2]);
  backbone.dispose();
  const unknown = { name: 'r3d34' } as unknown as BackboneConfig;
  assert.throws(() => createBackbone(unknown), { code: 'unknown-backbone', message: /r3d34/ });
});

test('the classifier averages the features over space and time and drops some only in training', () => {
  scope(() => {
    const network = new Classifier(new SmallR3D({ widths: [4, 4, 8] }), 3).eval();
    const clips = hashInput('clip', 1, [2, 3, 8, 16, 16]);
    const features = network.features(clips);
    assert.deepEqual([...features.shape], [2, 8]);
    const logits = network.call(clips).toArray();
    assert.deepEqual(network.fc.call(features).toArray(), logits);
    network.train();
    assert.notDeepEqual(network.classify(features).toArray(), logits);
    network.dispose();
  });
});

test('training steps of a classifier leave no tensor behind', () => {
  const network = new Classifier(new SmallR3D({ widths: [4, 4, 8] }), 3);
  const step = () =>
    scope(() => {
      network.zeroGrad();
      const logits = network.call(hashInput('clip', 1, [2, 3, 8, 16, 16]));
      nn.functional.crossEntropy(logits, tensor([0, 2], { dtype: 'int64' })).backward();
    });
  step();
  const before = memory().liveTensors;
  for (let repeat = 0; repeat < 5; repeat++) {
    step();
  }
  assert.equal(memory().liveTensors, before);
  network.dispose();
});
