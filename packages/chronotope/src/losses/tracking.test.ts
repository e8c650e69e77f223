import { describe, test } from 'node:test';
import { gradcheck, manualSeed, randn, scope, tensor } from '@chronotope/torch';
import fc from 'fast-check';
import { assertClose, leaf, type Nested, readGolden } from '../testing/golden.js';
import { meanOf, sumOf } from '../testing/naive-losses.js';
import { balancedLoss, focalLoss } from './tracking.js';

interface Case {
  case: string;
  kind: 'balanced' | 'balanced_vince' | 'focal';
  parameter: number;
  response: Nested;
  label: Nested;
  loss: number;
  grad_response: Nested;
}

for (const golden of readGolden<{ cases: Case[] }>('ccl/siamfc_losses.json').cases) {
  test(`${golden.case}: the loss and its gradient`, () => {
    scope(() => {
      const response = leaf(golden.response);
      const label = tensor(golden.label);
      const { kind, parameter } = golden;
      // VINCE's code has the masks of positives and negatives swapped: its weight is that of the positives.
      const loss =
        kind === 'focal'
          ? focalLoss(response, label, { gamma: parameter })
          : balancedLoss(response, label, { negativeWeight: kind === 'balanced' ? parameter : 1 / parameter });
      loss.backward();
      assertClose(loss, golden.loss, { relative: 1e-5 });
      assertClose(response.grad!, golden.grad_response, { relative: 1e-4 });
    });
  });
}

const response = fc.record({
  seed: fc.nat(1000),
  pairs: fc.integer({ min: 1, max: 3 }),
  side: fc.integer({ min: 2, max: 5 }),
});
const strength = fc.double({ min: 0, max: 4, noNaN: true });

/** Random logits, and labels of which the first is positive and the last negative, as pairs of plain numbers. */
function drawn({ seed, pairs, side }: { seed: number; pairs: number; side: number }) {
  manualSeed(seed);
  const logits = randn([pairs, 1, side, side], { dtype: 'float64' }).mul(2);
  const label = randn([side, side], { dtype: 'float64' }).gt(0).to({ dtype: 'float64' });
  label.select(0, 0).select(0, 0).fill_(1);
  label
    .select(0, side - 1)
    .select(0, side - 1)
    .fill_(0);
  const labels = Array.from({ length: pairs }, () => (label.toArray() as number[][]).flat()).flat();
  const places = Array.from(logits.data() as Float64Array, (z, k) => ({ z, y: labels[k]! }));
  return { logits, label, places };
}

/** −log of the probability that a place has for its label. */
const entropyOf = ({ z, y }: { z: number; y: number }) => Math.log1p(Math.exp(y === 1 ? -z : z));

describe('against loops over numbers, for any responses and strengths', () => {
  test('balanced: the mean of all positive places and that of all negative ones', () =>
    fc.assert(
      fc.property(response, strength, (shape, negativeWeight) =>
        scope(() => {
          const { logits, label, places } = drawn(shape);
          const of = (value: number) => meanOf(places.filter(({ y }) => y === value).map(entropyOf));
          const expected = (of(1) + negativeWeight * of(0)) / (1 + negativeWeight);
          assertClose(balancedLoss(logits, label, { negativeWeight }), expected, { relative: 1e-9 });
        }),
      ),
      { numRuns: 25 },
    ));

  test('focal: places weigh by how wrong they are, to the power gamma', () =>
    fc.assert(
      fc.property(response, strength, (shape, gamma) =>
        scope(() => {
          const { logits, label, places } = drawn(shape);
          const weights = places.map((place) => (1 - Math.exp(-entropyOf(place))) ** gamma);
          const expected = sumOf(places.map((place, k) => weights[k]! * entropyOf(place))) / sumOf(weights);
          assertClose(focalLoss(logits, label, { gamma }), expected, { relative: 1e-9 });
        }),
      ),
      { numRuns: 25 },
    ));

  test('gradients agree with finite differences', () =>
    scope(() => {
      const { logits, label } = drawn({ seed: 3, pairs: 2, side: 2 });
      const input = logits.requiresGrad_(true);
      gradcheck((z) => focalLoss(z!, label, { gamma: 1.5 }), [input]);
      gradcheck((z) => balancedLoss(z!, label, { negativeWeight: 0.3 }), [input]);
    }));
});
