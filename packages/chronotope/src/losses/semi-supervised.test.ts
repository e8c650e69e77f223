import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scope, type Tensor, tensor } from '@chronotope/torch';
import fc from 'fast-check';
import { assertClose, leaf } from '../testing/golden.js';
import { meanOf, softmaxOf } from '../testing/naive-losses.js';
import { type Distillation, distillationLoss, meanTeacherLoss } from './distillation.js';
import { pseudoLabelLoss } from './pseudo-label.js';
import { averagingDecay, rampUp } from './ramp-up.js';
import { mixTeachers } from './similarity.js';
import { confident, sharpen } from './targets.js';

const LOGIT = fc.double({ min: -6, max: 6, noNaN: true });

/** Matrices of the same random shape. */
function logitsOf(count: number): fc.Arbitrary<number[][][]> {
  return fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 6 }))
    .chain(([rows, columns]) =>
      fc.array(
        fc.array(fc.array(LOGIT, { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows }),
        { minLength: count, maxLength: count },
      ),
    );
}

const double = (rows: number[][]): Tensor => tensor(rows, { dtype: 'float64' });
function isClearCut(row: readonly number[], threshold: number): boolean {
  const [first, second] = [...row].sort((a, b) => b - a) as [number, number];
  return first - second > 1e-9 && Math.abs(first - threshold) > 1e-9;
}
const EXACT = { relative: 1e-9, absolute: 1e-10 };

describe('semi-supervised losses against a plain second version, over random shapes', () => {
  test('pseudo-labels: hard, with any threshold', () =>
    fc.assert(
      fc.property(logitsOf(2), fc.double({ min: 0, max: 1, noNaN: true }), ([logits, source], threshold) =>
        scope(() => {
          const targets = source!.map((row) => softmaxOf(row));
          // Which of two equal classes is the label, and on which side of the threshold an equal one lies, roundings decide.
          fc.pre(targets.every((row) => isClearCut(row, threshold)));
          const kept = targets.map((row) => (Math.max(...row) >= threshold ? 1 : 0));
          const perVideo = logits!.map((row, b) => {
            const label = targets[b]!.indexOf(Math.max(...targets[b]!));
            return -kept[b]! * Math.log(softmaxOf(row)[label]!);
          });
          const result = pseudoLabelLoss(double(logits!), double(source!), { threshold });
          assertClose(result.loss, meanOf(perVideo), EXACT);
          assertClose(result.kept, meanOf(kept), EXACT);
        }),
      ),
      { numRuns: 40 },
    ));

  test('pseudo-labels: sharpened distributions', () =>
    fc.assert(
      fc.property(logitsOf(2), fc.double({ min: 0.2, max: 2, noNaN: true }), ([logits, source], temperature) =>
        scope(() => {
          const perVideo = logits!.map((row, b) => {
            const target = softmaxOf(source![b]!, temperature);
            return -softmaxOf(row).reduce((sum, p, c) => sum + target[c]! * Math.log(p), 0);
          });
          const { loss } = pseudoLabelLoss(double(logits!), double(source!), { threshold: 0, temperature });
          assertClose(loss, meanOf(perVideo), EXACT);
        }),
      ),
      { numRuns: 40 },
    ));

  test('mean teacher and weighted distillation, with every distance', () =>
    fc.assert(
      fc.property(logitsOf(2), fc.array(fc.constantFrom(0, 1, 0.5), { minLength: 5, maxLength: 5 }), (both, factors) =>
        scope(() => {
          const [logits, teacher] = both as [number[][], number[][]];
          const q = teacher.map((row) => softmaxOf(row));
          const weights = factors.slice(0, logits.length);
          const naive = (kind: Distillation, factor: (b: number) => number) =>
            meanOf(
              logits.map((row, b) => {
                const terms = softmaxOf(row).map((p, c) =>
                  kind === 'kld' ? q[b]![c]! * Math.log(q[b]![c]! / p) : (p - q[b]![c]!) ** 2,
                );
                return factor(b) * (kind === 'l2-per-video' ? terms.length : 1) * meanOf(terms);
              }),
            );
          for (const kind of ['l2', 'kld', 'l2-per-video'] as const) {
            assertClose(
              meanTeacherLoss(double(logits), double(teacher), kind),
              naive(kind, () => 1),
              EXACT,
            );
            const weighted = distillationLoss(double(logits), double(q), kind, tensor(weights, { dtype: 'float64' }));
            assertClose(
              weighted,
              naive(kind, (b) => weights[b]!),
              EXACT,
            );
          }
        }),
      ),
      { numRuns: 40 },
    ));

  test('sharpening and confidence', () =>
    fc.assert(
      fc.property(logitsOf(1), fc.double({ min: 0.05, max: 3, noNaN: true }), ([logits], temperature) =>
        scope(() => {
          const q = logits!.map((row) => softmaxOf(row));
          // q^(1/T), normalised, is the softmax of the same logits divided by T.
          assertClose(
            sharpen(double(q), temperature),
            logits!.map((row) => softmaxOf(row, temperature)),
            EXACT,
          );
          assertClose(
            confident(double(q), 0.5),
            q.map((row) => (Math.max(...row) >= 0.5 ? 1 : 0)),
            EXACT,
          );
        }),
      ),
      { numRuns: 40 },
    ));

  test('teachers mixed as logits: the softmax of the weighted sum of their logits', () =>
    fc.assert(
      fc.property(logitsOf(2), fc.double({ min: 0, max: 1, noNaN: true }), ([invariant, distinctive], weight) =>
        scope(() => {
          const q = (rows: number[][]) => double(rows.map((row) => softmaxOf(row)));
          const score = tensor(
            invariant!.map(() => weight),
            { dtype: 'float64' },
          );
          const mixed = invariant!.map((row, b) =>
            softmaxOf(row.map((value, c) => weight * value + (1 - weight) * distinctive![b]![c]!)),
          );
          assertClose(mixTeachers(q(invariant!), q(distinctive!), score, { of: 'logits' }), mixed, EXACT);
        }),
      ),
      { numRuns: 40 },
    ));
});

test('no gradient flows into the source of a target', () =>
  scope(() => {
    const [logits, source] = [leaf([[1, 2, 0]]), leaf([[3, 0, 0]])];
    pseudoLabelLoss(logits, source, { threshold: 0, temperature: 0.5 }).loss.backward();
    meanTeacherLoss(logits, source).backward();
    assert.ok(logits.grad !== null && source.grad === null);
  }));

test('a prediction without doubt can be sharpened, and a probability of 0 can be mixed as a logit', () =>
  scope(() => {
    assertClose(sharpen(tensor([[1, 0, 0]]), 0.01), [[1, 0, 0]]);
    assertClose(sharpen(tensor([[0.5, 0.5, 1e-30]]), 0.01), [[0.5, 0.5, 0]]);
    const mixed = mixTeachers(tensor([[1, 0]]), tensor([[0.5, 0.5]]), tensor([1]), { of: 'logits' });
    assertClose(mixed, [[1, 0]], { absolute: 1e-6 });
  }));

test('ramp-ups rise from their known first value to 1 and never fall', () => {
  assert.equal(rampUp(0, { steps: 10 }), Math.exp(-5));
  assert.equal(rampUp(5, { steps: 10 }), Math.exp(-1.25));
  assert.equal(rampUp(3, { steps: 10, shape: 'linear' }), 0.3);
  for (const shape of ['sigmoid', 'linear'] as const) {
    const values = Array.from({ length: 15 }, (_, step) => rampUp(step, { steps: 10, shape }));
    assert.ok(values.every((value, step) => step === 0 || value >= values[step - 1]!));
    assert.deepEqual(values.slice(10), [1, 1, 1, 1, 1]);
  }
  assert.equal(rampUp(0, { steps: 0 }), 1);
});

test('the average of weights is a plain mean until the decay is reached', () => {
  const decays = [0, 1, 2, 50, 1000].map((step) => averagingDecay(step, 0.99));
  assert.deepEqual(decays, [0, 1 / 2, 1 - 1 / 3, 1 - 1 / 51, 0.99]);
});
