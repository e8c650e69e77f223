import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualSeed, randn, scope, softmax, tensor } from '@chronotope/torch';
import fc from 'fast-check';
import { assertClose } from '../testing/golden.js';
import { balancingFactors, rebalance } from './class-balance.js';

test('predictions of any videos name each class as often as the prior says, and stay probabilities', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 6 }),
      (seed, prior) =>
        scope(() => {
          manualSeed(seed);
          const probabilities = softmax(randn([40, prior.length]).mul(2), 1);
          const balanced = rebalance(probabilities, balancingFactors(probabilities, prior));
          const total = prior.reduce((sum, one) => sum + one);
          assertClose(
            balanced.mean(0),
            prior.map((one) => one / total),
            { absolute: 1e-4 },
          );
          assertClose(balanced.sum(1), Array<number>(40).fill(1), { absolute: 1e-5 });
        }),
    ),
    { numRuns: 30 },
  );
});

test('two videos and two classes have a closed form, and balanced predictions are left alone', () =>
  scope(() => {
    // q_1 + q_2 = 1 for odds 9 f and 1 f of the first class, if 9 f · f = 1.
    const sure = tensor([
      [0.9, 0.1],
      [0.5, 0.5],
    ]);
    const factors = balancingFactors(sure, [1, 1]);
    assertClose(factors.div(factors.select(0, 1)), [1 / 3, 1], { relative: 1e-5 });
    const fair = tensor([
      [0.75, 0.25],
      [0.25, 0.75],
    ]);
    assertClose(balancingFactors(fair, [5, 5]), [1, 1]);
  }));

test('a class that no video shows, or none is labelled with, gives no infinity', () =>
  scope(() => {
    const sure = tensor([
      [1, 0],
      [1, 0],
    ]);
    const prior = [
      [1, 1],
      [1, 0],
      [0, 1],
    ];
    for (const one of prior) {
      const balanced = rebalance(sure, balancingFactors(sure, one));
      assert.ok((balanced.data() as Float32Array).every((value) => value >= 0 && value <= 1));
    }
  }));
