import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualSeed, nn, noGrad, rand, randn, scope, type Tensor } from '../index.js';

/** Statistics and gains as after some training, so that folding changes something. */
function trained<M extends nn.Module>(module: M): M {
  noGrad(() => {
    for (const [name, tensor] of module.stateDict()) {
      if (name.endsWith('running_mean') || name.endsWith('.bias')) tensor.copy_(randn(tensor.shape));
      if (name.endsWith('running_var')) tensor.copy_(rand(tensor.shape).add(0.5));
      if (name.endsWith('.weight') && tensor.ndim === 1) tensor.copy_(randn(tensor.shape));
    }
  });
  return module.eval();
}

const largestDifference = (a: Tensor, b: Tensor): number => a.sub(b).abs().max().item();

describe('folding batch normalisation', () => {
  for (const [name, conv, norm, shape] of [
    ['1-d with an offset', () => new nn.Conv1d(3, 5, { kernelSize: 3 }), () => new nn.BatchNorm1d(5), [2, 3, 8]],
    [
      '2-d in groups',
      () => new nn.Conv2d(4, 6, { kernelSize: 3, groups: 2, bias: false }),
      () => new nn.BatchNorm2d(6),
      [2, 4, 7, 7],
    ],
    [
      '3-d without gains',
      () => new nn.Conv3d(3, 4, { kernelSize: 3, bias: false }),
      () => new nn.BatchNorm3d(4, { affine: false }),
      [2, 3, 5, 6, 6],
    ],
  ] as const) {
    test(`leaves the outputs as they are: ${name}`, () =>
      scope(() => {
        manualSeed(1);
        const network = trained(new nn.Sequential(new nn.Sequential(conv()), norm(), new nn.ReLU()));
        const x = randn([...shape]);
        const before = network.call(x);
        assert.equal(nn.foldBatchNorm(network), 1);
        assert.ok(largestDifference(network.call(x), before) < 1e-5);
        assert.equal(nn.foldBatchNorm(network), 0, 'nothing is folded twice');
        network.dispose();
      }));
  }

  test('leaves a normalisation alone that follows something else', () => {
    const network = new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4)).eval();
    assert.equal(nn.foldBatchNorm(network), 0);
  });

  test('refuses a network in training mode, before and after', () => {
    const network = new nn.Sequential(new nn.Conv3d(1, 1, { kernelSize: 1 }), new nn.BatchNorm3d(1));
    assert.throws(() => nn.foldBatchNorm(network), { code: 'argument', hint: /eval/ });
    nn.foldBatchNorm(network.eval());
    assert.throws(() => network.train().call(randn([2, 1, 2, 2, 2])), { code: 'argument', message: /folded/ });
  });
});
