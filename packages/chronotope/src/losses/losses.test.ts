import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualSeed, nn, randn, scope, type Tensor, tensor, zeros } from '@chronotope/torch';
import { assertClose, leaf, type Nested, readGolden } from '../testing/golden.js';
import { instanceLoss } from './instance.js';
import { ntXent } from './nt-xent.js';
import { pretextLoss } from './pretext.js';
import { globalLocalLoss, localLocalLoss } from './temporal.js';

const LOSS = { relative: 1e-5 };
const GRADIENT = { relative: 2e-4 };
const unit = (x: Tensor) => nn.functional.normalize(x, { dim: -1 });

interface NtXentCase {
  temperature: number;
  use_cosine_similarity: boolean;
  zis: Nested;
  zjs: Nested;
  loss: number;
  grad_zis: Nested;
  grad_zjs: Nested;
}

describe('NT-Xent', () => {
  const { cases } = readGolden<{ cases: NtXentCase[] }>('losses/nt_xent.json');
  for (const [index, c] of cases.entries()) {
    test(`official value and gradients, case ${index}`, () =>
      scope(() => {
        const [a, b] = [leaf(c.zis), leaf(c.zjs)];
        const loss = c.use_cosine_similarity
          ? ntXent(unit(a), unit(b), { temperature: c.temperature })
          : ntXent(a, b, { temperature: c.temperature });
        assertClose(loss, c.loss, LOSS);
        loss.backward();
        assertClose(a.grad!, c.grad_zis, { ...GRADIENT, absolute: 1e-6 });
        assertClose(b.grad!, c.grad_zjs, { ...GRADIENT, absolute: 1e-6 });
      }));
  }

  test('identical embeddings are uninformative: ln(2B − 1)', () =>
    scope(() => {
      const same = tensor(Array.from({ length: 6 }, () => [0.6, 0.8]));
      assertClose(ntXent(same, same), Math.log(11), LOSS);
    }));
});

interface GlobalLocalCase {
  temperature: number;
  lsr: Nested;
  gdr: Nested;
  loss: number;
  grad_lsr: Nested;
  grad_gdr: Nested;
}

interface LocalLocalCase {
  temperature: number;
  view0: Nested;
  view1: Nested;
  per_video: number[];
  loss_sum: number;
  grad_view0: Nested;
  grad_view1: Nested;
}

describe('temporal contrast', () => {
  for (const [index, c] of readGolden<{ cases: GlobalLocalCase[] }>('losses/tclr_global_local.json').cases.entries()) {
    test(`global-local: official value and gradients, case ${index}`, () =>
      scope(() => {
        const [slices, locals] = [leaf(c.lsr), leaf(c.gdr)];
        const loss = globalLocalLoss(slices, locals, { temperature: c.temperature });
        assertClose(loss, c.loss, LOSS);
        loss.backward();
        assertClose(slices.grad ?? zeros([...slices.shape]), c.grad_lsr, { ...GRADIENT, absolute: 1e-6 });
        assertClose(locals.grad!, c.grad_gdr, { ...GRADIENT, absolute: 1e-6 });
      }));
  }

  for (const [index, c] of readGolden<{ cases: LocalLocalCase[] }>('losses/tclr_local_local.json').cases.entries()) {
    test(`local-local: official value and gradients, case ${index}`, () =>
      scope(() => {
        const [view0, view1] = [leaf(c.view0), leaf(c.view1)];
        const loss = localLocalLoss(view0, view1, { temperature: c.temperature });
        assertClose(loss, c.loss_sum, LOSS);
        assertClose(ntXent(view0, view1, { temperature: c.temperature }), c.per_video, LOSS);
        loss.backward();
        assertClose(view0.grad!, c.grad_view0, { ...GRADIENT, absolute: 1e-6 });
        assertClose(view1.grad!, c.grad_view1, { ...GRADIENT, absolute: 1e-6 });
      }));
  }

  test('the mean reduction is the sum divided by the number of videos', () =>
    scope(() => {
      manualSeed(2);
      const [a, b] = [unit(randn([5, 4, 3])), unit(randn([5, 4, 3]))];
      const sum = localLocalLoss(a, b).item();
      assertClose(localLocalLoss(a, b, { reduction: 'mean' }), sum / 5, LOSS);
    }));
});

interface PretrainCase {
  temperature: number;
  ic_weight: number;
  tcl_weight: number;
  tcg_weight: number;
  gsr: Nested;
  lsr: Nested;
  dense: Nested;
  loss_ic_global: number;
  loss_ic_local: number;
  loss_local_local: number;
  loss_global_local: number;
  loss_total: number;
  grad_gsr: Nested;
  grad_lsr: Nested;
  grad_dense: Nested;
}

describe('pre-training loss', () => {
  for (const [index, c] of readGolden<{ cases: PretrainCase[] }>('losses/pretrain_step.json').cases.entries()) {
    test(`official parts, total and gradients, case ${index}`, () =>
      scope(() => {
        const [globals, slices, locals] = [leaf(c.gsr), leaf(c.lsr), leaf(c.dense)];
        const weights = { instance: c.ic_weight, localLocal: c.tcl_weight, globalLocal: c.tcg_weight };
        const loss = pretextLoss({ globals, slices, locals }, { weights, temperature: c.temperature });
        const all = { instance: 1, localLocal: 1, globalLocal: 1 };
        const parts = pretextLoss({ globals, slices, locals }, { weights: all, temperature: c.temperature });
        assertClose(parts.instanceGlobal!, c.loss_ic_global, { ...LOSS, what: 'instance, global' });
        assertClose(parts.instanceLocal!, c.loss_ic_local, { ...LOSS, what: 'instance, local' });
        assertClose(parts.localLocal!, c.loss_local_local, { ...LOSS, what: 'local-local' });
        assertClose(parts.globalLocal!, c.loss_global_local, { ...LOSS, what: 'global-local' });
        assertClose(loss.total, c.loss_total, { ...LOSS, what: 'total' });
        assert.equal(loss.instanceGlobal === undefined, c.ic_weight === 0);
        assert.equal(loss.localLocal === undefined, c.tcl_weight === 0);
        assert.equal(loss.globalLocal === undefined, c.tcg_weight === 0);
        loss.total.backward();
        // What no part with a weight looks at has no gradient; the official ones are 0 then.
        assertClose(globals.grad ?? zeros([...globals.shape]), c.grad_gsr, { ...GRADIENT, absolute: 1e-6 });
        assertClose(slices.grad ?? zeros([...slices.shape]), c.grad_lsr, { ...GRADIENT, absolute: 1e-6 });
        assertClose(locals.grad ?? zeros([...locals.shape]), c.grad_dense, { ...GRADIENT, absolute: 1e-6 });
      }));
  }

  test('different-time positives leave out the global pair and the two views of one clip', () =>
    scope(() => {
      manualSeed(3);
      const [globals, locals] = [unit(randn([2, 4, 6])), unit(randn([2, 4, 3, 6]))];
      const all = instanceLoss(globals, locals);
      const different = instanceLoss(globals, locals, { positives: 'different-time' });
      const sameTime = [0, 1, 2].map((k) =>
        ntXent(locals.select(0, 0).select(1, k), locals.select(0, 1).select(1, k)).item(),
      );
      const expected = all.local.item() - (2 / 3) * sameTime.reduce((sum, loss) => sum + loss, 0);
      assertClose(different.local, expected, { relative: 1e-5 });
      assert.equal(different.global.item(), 0);
    }));
});
