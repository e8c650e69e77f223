import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  conv3d,
  crossEntropyLoss,
  enableGrad,
  grad,
  gradcheck,
  gridSampler2d,
  isGradEnabled,
  klDiv,
  linalgVectorNorm,
  manualSeed,
  matmul,
  maxPool3d,
  noGrad,
  randn,
  scope,
  type Tensor,
  tensor,
  upsampleTrilinear3d,
} from './index.js';

const draw = (shape: number[]): Tensor => randn(shape, { dtype: 'float64', requiresGrad: true });

test('gradients equal central differences', () => {
  manualSeed(3);
  scope(() => {
    const check = (f: (x: Tensor) => Tensor, x: Tensor): void => gradcheck(f, [x], { atol: 1e-7, rtol: 1e-6 });
    const weight = draw([2, 2, 2, 2, 2]);
    const target = draw([2, 3]).detach().softmax(1);
    const grid = draw([1, 2, 2, 2]).mul(0.4);
    check((x) => conv3d(x, weight, { padding: 1, stride: 2 }).square().sum(), draw([1, 2, 3, 3, 3]));
    check((w) => conv3d(weight, w, { padding: 1 }).sin().sum(), draw([1, 2, 2, 2, 2]));
    check((x) => maxPool3d(x, 2).exp(), draw([1, 1, 2, 4, 4]));
    check((x) => matmul(x, x.transpose(0, 1)).softmax(1).log(), draw([3, 2]));
    check((x) => crossEntropyLoss(x, tensor([1, 0], { dtype: 'int64' })), draw([2, 3]));
    check((x) => klDiv(x.logSoftmax(1), target), draw([2, 3]));
    check((x) => linalgVectorNorm(x, { dim: 1 }).prod(), draw([2, 3]));
    check((x) => upsampleTrilinear3d(x, [3, 3, 3], false).square(), draw([1, 1, 2, 2, 2]));
    check((x) => gridSampler2d(x, grid, 0, 0, false).square(), draw([1, 1, 3, 3]));
  });
});

test('backward sums up gradients in .grad, which can be read, set and cleared', () => {
  scope(() => {
    const x = tensor([1, 2], { requiresGrad: true });
    x.mul(3).sum().backward();
    x.mul(3).sum().backward();
    assert.deepEqual(x.grad?.toArray(), [6, 6]);
    x.grad = tensor([1, 1]);
    assert.deepEqual(x.grad?.toArray(), [1, 1]);
    x.grad = null;
    assert.equal(x.grad, null);
    x.mul(x).backward(tensor([1, 10]));
    assert.deepEqual((x.grad as Tensor | null)?.toArray(), [2, 40]);
  });
});

test('grad gives second derivatives with createGraph and null for unused inputs', () => {
  scope(() => {
    const x = tensor([2], { requiresGrad: true });
    const unused = tensor([1], { requiresGrad: true });
    const [first, none] = grad([x.pow(3)], [x, unused], { createGraph: true, allowUnused: true });
    assert.equal(none, null);
    assert.equal(first?.item(), 12);
    assert.equal(grad([first!], [x])[0]?.item(), 12);
    assert.equal(x.grad, null);
    assert.equal(grad([x.mul(2)], [x], { gradOutputs: [tensor([5])] })[0]?.item(), 10);
  });
});

test('noGrad does not record, enableGrad does inside it, and both restore after a throw', () => {
  scope(() => {
    const x = tensor([1], { requiresGrad: true });
    noGrad(() => {
      assert.equal(x.mul(2).requiresGrad, false);
      assert.equal(
        enableGrad(() => x.mul(2).requiresGrad),
        true,
      );
    });
    assert.throws(() =>
      noGrad(() => {
        throw new Error('no');
      }),
    );
    assert.equal(isGradEnabled(), true);
    assert.equal(x.mul(x).gradFunctionName, 'MulBackward0');
    assert.equal(x.isLeaf, true);
    assert.equal(x.mul(2).detach().requiresGrad, false);
  });
});
