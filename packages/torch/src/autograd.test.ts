import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  conv3d,
  crossEntropyLoss,
  enableGrad,
  grad,
  gridSampler2d,
  isGradEnabled,
  klDiv,
  linalgVectorNorm,
  manualSeed,
  matmul,
  maxPool3d,
  memory,
  nn,
  noGrad,
  randn,
  scope,
  type Tensor,
  tensor,
  upsampleTrilinear3d,
} from './index.js';

/** Compares the gradient of f at x with central differences, in float64. */
function checkGradient(f: (x: Tensor) => Tensor, x: Tensor): void {
  scope(() => {
    x.requiresGrad_();
    const [analytic] = grad([f(x)], [x]);
    const slopes = [...analytic!.reshape([-1]).data()].map(Number);
    const flat = x.detach().reshape([-1]);
    const h = 1e-6;
    for (const [i, slope] of slopes.entries()) {
      const at = (delta: number): number =>
        scope(() => {
          const moved = flat.clone();
          moved.select(0, i).add_(delta);
          return f(moved.reshape(x.shape)).item();
        });
      const numeric = (at(h) - at(-h)) / (2 * h);
      assert.ok(Math.abs(numeric - slope) < 1e-6 * Math.max(1, Math.abs(slope)), `[${i}]: ${slope}, slope ${numeric}`);
    }
  });
}

const draw = (shape: number[]): Tensor => randn(shape, { dtype: 'float64' });

test('gradients equal central differences', () => {
  manualSeed(3);
  scope(() => {
    const weight = draw([2, 2, 2, 2, 2]);
    checkGradient((x) => conv3d(x, weight, { padding: 1, stride: 2 }).square().sum(), draw([1, 2, 3, 3, 3]));
    checkGradient((w) => conv3d(weight, w, { padding: 1 }).sin().sum(), draw([1, 2, 2, 2, 2]));
    checkGradient((x) => maxPool3d(x, 2).exp().sum(), draw([1, 1, 2, 4, 4]));
    checkGradient((x) => matmul(x, x.transpose(0, 1)).softmax(1).log().sum(), draw([3, 2]));
    checkGradient((x) => crossEntropyLoss(x, tensor([1, 0], { dtype: 'int64' })), draw([2, 3]));
    checkGradient((x) => klDiv(x.logSoftmax(1), x.detach().add(1).softmax(1)).mul(3), draw([2, 3]).requiresGrad_());
    checkGradient((x) => linalgVectorNorm(x, { dim: 1 }).prod(), draw([2, 3]));
    checkGradient((x) => upsampleTrilinear3d(x, [3, 3, 3], false).square().sum(), draw([1, 1, 2, 2, 2]));
    const grid = draw([1, 2, 2, 2]).mul(0.4);
    checkGradient((x) => gridSampler2d(x, grid, 0, 0, false).square().sum(), draw([1, 1, 3, 3]));
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

test('a no-grad forward of a deep network holds one layer, not all', () => {
  scope(() => {
    const layers = Array.from({ length: 30 }, () => new nn.Linear(64, 64));
    const net = new nn.Sequential(...layers);
    const x = randn([1024, 64]);
    let most = 0;
    const before = memory().liveBytes;
    for (const layer of layers) {
      const forward = layer.forward.bind(layer);
      layer.forward = (input) => {
        const output = forward(input);
        most = Math.max(most, memory().liveBytes - before);
        return output;
      };
    }
    noGrad(() => net.call(x));
    assert.ok(most < 4 * 1024 * 64 * 4, `${most} bytes`);
  });
});
