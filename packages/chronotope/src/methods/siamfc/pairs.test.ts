import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Box } from '../../data/manifest.js';
import { randomStream } from '../../random.js';
import { loadRecipeOf } from '../../recipes/load.js';
import { readGolden } from '../../testing/golden.js';
import { drawPair, usableFrames } from './pairs.js';
import { learningRateSchedule } from './training.js';

interface FilterCase {
  case: string;
  image_hw: [number, number];
  anno_ltwh: Box[];
  cover: number[] | null;
  valid_indices: number[];
}

for (const golden of readGolden<{ cases: FilterCase[] }>('ccl/siamfc_pair_filter.json').cases) {
  test(`${golden.case}: the frames that the official filter keeps`, () => {
    const [height, width] = golden.image_hw;
    const sequence = { boxes: golden.anno_ltwh, cover: golden.cover ?? undefined };
    assert.deepEqual(usableFrames(sequence, { height, width }), golden.valid_indices);
  });
}

test('a pair is of two usable frames in order, less than 100 apart where there are such', () => {
  const frames = fc.uniqueArray(fc.nat(400), { minLength: 2, maxLength: 20 }).map((all) => all.sort((a, b) => a - b));
  fc.assert(
    fc.property(frames, fc.nat(1000), (usable, seed) => {
      const [exemplar, search] = drawPair(usable, randomStream(seed, 'test'));
      assert.ok(usable.includes(exemplar) && usable.includes(search) && exemplar <= search);
      if (usable.length > 2) assert.ok(search - exemplar < 100);
    }),
  );
  assert.deepEqual(drawPair([3, 500], randomStream(1, 'test')), [3, 500], 'two frames are the pair');
});

test('the learning rate of every epoch is the official one', () => {
  interface RateCase {
    initial_lr: number;
    ultimate_lr: number;
    epochs: number;
    lr: number[];
  }
  const { pairs } = loadRecipeOf('tracker', 'tracker-ccl');
  for (const golden of readGolden<{ cases: RateCase[] }>('ccl/siamfc_lr.json').cases) {
    const { initial_lr: learningRate, ultimate_lr: lastLearningRate, epochs, lr } = golden;
    const schedule = learningRateSchedule({ ...pairs, learningRate, lastLearningRate, epochs }, 7);
    for (const [epoch, expected] of lr.entries()) {
      for (const step of [7 * epoch, 7 * epoch + 6]) {
        const rate = learningRate * schedule(step);
        assert.ok(Math.abs(rate - expected) <= 1e-9 * expected, `${rate} instead of ${expected}`);
      }
    }
  }
  const steps = learningRateSchedule({ ...pairs, schedule: 'step', milestones: [10, 20] }, 2);
  assert.deepEqual(
    [0, 19, 20, 40].map(steps).map((factor) => factor.toFixed(3)),
    ['1.000', '1.000', '0.100', '0.010'],
  );
});
