import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scope, tensor } from '@chronotope/torch';
import { Classifier } from '../models/classifier.js';
import { SmallR3D } from '../models/small-r3d.js';
import { hashInput } from '../testing/hash-fill.js';
import { activationMap, paintMap } from './activation-map.js';

function newModel() {
  return new Classifier(new SmallR3D({ widths: [4, 4, 8] }), 3, { dropout: 0 }).eval();
}

test('the mean of a map and the biases give the difference of the logits', () => {
  scope(() => {
    const model = newModel();
    const clips = hashInput('clip', 1, [2, 3, 8, 32, 32]);
    const logits = model.call(clips).toArray() as number[][];
    const bias = model.fc.bias!.toArray() as number[];
    const map = activationMap(model, clips, { for: 2, against: 0 });
    assert.deepEqual([...map.shape], [2, 4, 2, 2]);
    const means = map.mean([1, 2, 3]).toArray() as number[];
    for (const [clip, mean] of means.entries()) {
      const margin = logits[clip]![2]! - logits[clip]![0]!;
      assert.ok(Math.abs(mean + bias[2]! - bias[0]! - margin) < 1e-5);
    }
    model.dispose();
  });
});

test('one position of the map is what the logit loses, times the positions, when its features are set to zero', () => {
  scope(() => {
    const model = newModel();
    const clips = hashInput('clip', 3, [1, 3, 8, 32, 32]);
    const features = model.backbone.featureMap(clips);
    const logit = () => (model.classify(features.mean([2, 3, 4])).toArray() as number[][])[0]![1]!;
    const map = activationMap(model, clips, { for: 1 });
    const before = logit();
    const position = features.select(0, 0).select(1, 3).select(1, 1).select(1, 0);
    position.mul_(0);
    const positions = map.numel;
    const expected = (before - logit()) * positions;
    const found = map.select(0, 0).select(0, 3).select(0, 1).select(0, 0).item();
    assert.ok(Math.abs(found - expected) < 1e-3 * Math.max(1, Math.abs(expected)), `${found} ${expected}`);
    model.dispose();
  });
});

test('evidence for is painted orange, evidence against blue, none grey', () => {
  scope(() => {
    const frames = hashInput('clip', 5, [3, 3, 4, 4]).clamp({ min: 0, max: 1 });
    const map = tensor([4, 0, -4], { shape: [3, 1, 1] });
    const painted = paintMap(frames, map);
    assert.deepEqual([...painted.shape], [3, 3, 4, 4]);
    const [red, green, blue] = painted.mean([2, 3]).toArray() as [number[], number[], number[]];
    assert.ok(red[0]! > blue[0]! + 0.3);
    assert.ok(blue[2]! > red[2]! + 0.3);
    assert.ok(Math.abs(red[1]! - blue[1]!) < 1e-6 && Math.abs(red[1]! - green[1]!) < 1e-6);
  });
});
