import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eye, gradcheck, manualSeed, nn, randn, scope, tensor } from '@chronotope/torch';
import fc from 'fast-check';
import { assertClose } from '../testing/golden.js';
import { dot, meanOf, softmaxOf } from '../testing/naive-losses.js';
import { clipLoss } from './clip.js';

test('orthogonal pairs give the closed form log(1 + (B - 1) exp(-s)), and pairs that fit nothing log B', () => {
  scope(() => {
    for (const [pairs, scale] of [
      [2, 1],
      [5, 3],
    ] as const) {
      const { loss } = clipLoss(eye(pairs), eye(pairs), tensor(scale));
      assert.ok(Math.abs(loss.item() - Math.log1p((pairs - 1) * Math.exp(-scale))) < 1e-6);
    }
    const same = tensor([
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    assert.ok(Math.abs(clipLoss(same, same, tensor(7)).loss.item() - Math.log(3)) < 1e-6);
  });
});

test('images and texts may change places, and pairs may come in any order', () => {
  scope(() => {
    manualSeed(1);
    const [images, texts] = [nn.functional.normalize(randn([6, 4])), nn.functional.normalize(randn([6, 4]))];
    const order = tensor([3, 0, 5, 1, 4, 2], { dtype: 'int64' });
    const value = clipLoss(images, texts, tensor(2)).loss.item();
    const swapped = clipLoss(texts, images, tensor(2)).loss.item();
    const shuffled = clipLoss(images.indexSelect(0, order), texts.indexSelect(0, order), tensor(2)).loss.item();
    for (const other of [swapped, shuffled]) assert.ok(Math.abs(other - value) < 1e-6);
  });
});

test('equals its definition in loops over numbers, for any number of pairs and any scale', () => {
  const size = (min: number, max: number) => fc.integer({ min, max });
  fc.assert(
    fc.property(fc.nat(1000), size(1, 6), size(2, 6), fc.double({ min: 0, max: 20, noNaN: true }), (seed, b, e, s) =>
      scope(() => {
        manualSeed(seed);
        const unit = () => nn.functional.normalize(randn([b, e], { dtype: 'float64' }), { dim: 1 });
        const [images, texts] = [unit(), unit()];
        const found = (queries: number[][], among: number[][]) =>
          meanOf(queries.map((one, i) => -Math.log(softmaxOf(among.map((other) => s * dot(one, other)))[i]!)));
        const [i, t] = [images.toArray() as number[][], texts.toArray() as number[][]];
        const { loss } = clipLoss(images, texts, tensor(s, { dtype: 'float64' }));
        assertClose(loss, (found(i, t) + found(t, i)) / 2, { relative: 1e-9, absolute: 1e-11 });
      }),
    ),
    { numRuns: 25 },
  );
});

test('gradients for images, texts and scale agree with finite differences', () => {
  scope(() => {
    manualSeed(2);
    const leaf = (shape: number[]) => randn(shape, { dtype: 'float64' }).requiresGrad_(true);
    gradcheck((images, texts, scale) => clipLoss(images!, texts!, scale!).loss, [leaf([4, 3]), leaf([4, 3]), leaf([])]);
  });
});
