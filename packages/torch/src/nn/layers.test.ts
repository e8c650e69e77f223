import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { manualSeed, memory, nn, scope, type Tensor, tensor } from '../index.js';
import { assertClose, type StoredTensor, toTensor } from '../testing/golden.js';

interface LayerCase {
  name: string;
  mode: 'train' | 'eval';
  state: Record<string, StoredTensor>;
  input: StoredTensor;
  output: StoredTensor;
  probe: StoredTensor;
  gradInput: StoredTensor;
  gradParameters: Record<string, StoredTensor>;
  buffersAfter: Record<string, StoredTensor>;
}

interface LossCase {
  logits: StoredTensor;
  target: number[];
  loss: StoredTensor;
  gradLogits: StoredTensor;
}

const golden = JSON.parse(readFileSync(new URL('../../golden/nn/layers.json', import.meta.url), 'utf8')) as {
  layers: LayerCase[];
  initialisation: { name: string; state: Record<string, StoredTensor> }[];
  crossEntropy: Record<'plain' | 'weighted' | 'smoothed' | 'none', LossCase>;
};

class Normalize extends nn.Module {
  constructor(readonly options: { p?: number; dim?: number }) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return nn.functional.normalize(x, this.options);
  }
}

const dilated = {
  kernelSize: 3,
  stride: [1, 2, 2],
  padding: [2, 1, 1],
  dilation: [2, 1, 1],
  bias: false,
};
const layers: Record<string, () => nn.Layer> = {
  linear: () => new nn.Linear(3, 4),
  linearNoBias: () => new nn.Linear(3, 4, { bias: false }),
  conv1d: () => new nn.Conv1d(2, 3, { kernelSize: 3, stride: 2, padding: 1 }),
  conv2d: () => new nn.Conv2d(2, 4, { kernelSize: [3, 2], stride: [2, 1], padding: [1, 0], groups: 2 }),
  conv3d: () => new nn.Conv3d(2, 3, dilated),
  batchNorm1d: () => new nn.BatchNorm1d(3),
  batchNorm2d: () => new nn.BatchNorm2d(2, { eps: 1e-3, momentum: 0.3 }),
  batchNorm2dPlain: () => new nn.BatchNorm2d(2, { affine: false }),
  batchNorm3d: () => new nn.BatchNorm3d(2),
  relu: () => new nn.ReLU(),
  dropout: () => new nn.Dropout(0.4),
  adaptiveAvgPool3d: () => new nn.AdaptiveAvgPool3d([2, 1, 1]),
  maxPool3d: () => new nn.MaxPool3d({ kernelSize: [1, 3, 3], stride: [1, 2, 2], padding: [0, 1, 1] }),
  flatten: () => new nn.Flatten(),
  sequential: () =>
    new nn.Sequential(
      new nn.Linear(3, 4, { bias: false }),
      new nn.BatchNorm1d(4),
      new nn.ReLU({ inplace: true }),
      new nn.Linear(4, 2),
    ),
  normalize: () => new Normalize({ dim: 1 }),
  normalizeL1: () => new Normalize({ p: 1, dim: -1 }),
};

for (const expected of golden.layers) {
  test(`${expected.name} (${expected.mode}): output, gradients, running statistics and keys equal PyTorch's`, () => {
    scope(() => {
      const layer = layers[expected.name]!().train(expected.mode === 'train');
      assert.deepEqual([...layer.stateDict().keys()], Object.keys(expected.state));
      layer.loadStateDict(new Map(Object.entries(expected.state).map(([key, value]) => [key, toTensor(value)])));

      const x = toTensor(expected.input).requiresGrad_(true);
      const y = layer.call(x);
      y.mul(toTensor(expected.probe)).sum().backward();

      assertClose(y, expected.output, 'output');
      assertClose(x.grad!, expected.gradInput, 'gradient of the input');
      for (const [key, parameter] of layer.namedParameters()) {
        assertClose(parameter.grad!, expected.gradParameters[key]!, `gradient of ${key}`);
      }
      for (const [key, buffer] of layer.namedBuffers()) {
        assertClose(buffer, expected.buffersAfter[key]!, key);
      }
      layer.dispose();
    });
  });
}

const initialised: Record<string, () => nn.Module> = {
  linear: () => new nn.Linear(5, 4),
  conv1d: () => new nn.Conv1d(2, 3, { kernelSize: 2 }),
  conv2d: () => new nn.Conv2d(4, 2, { kernelSize: 3, groups: 2 }),
  conv3d: () => new nn.Conv3d(2, 3, { kernelSize: [1, 2, 2] }),
  batchNorm3d: () => new nn.BatchNorm3d(3),
  kaimingNormalFanOut: () => {
    const conv = new nn.Conv3d(2, 4, { kernelSize: [3, 1, 1], bias: false });
    nn.init.kaimingNormal_(conv.weight, { mode: 'fanOut', nonlinearity: 'relu' });
    return conv;
  },
};

for (const { name, state } of golden.initialisation) {
  test(`${name}: the same seed gives PyTorch's initial weights`, () => {
    scope(() => {
      manualSeed(3);
      const module = initialised[name]!();
      for (const [key, value] of module.stateDict()) {
        assertClose(value, state[key]!, key);
      }
      module.dispose();
    });
  });
}

const lossOptions = {
  plain: () => ({}),
  weighted: () => ({ weight: tensor([0.2, 1, 3]), reduction: 'sum' as const }),
  smoothed: () => ({ labelSmoothing: 0.1 }),
  none: () => ({ reduction: 'none' as const }),
};
for (const name of ['plain', 'weighted', 'smoothed', 'none'] as const) {
  test(`crossEntropy (${name}) equals PyTorch's, with its gradient`, () => {
    scope(() => {
      const expected = golden.crossEntropy[name];
      const logits = toTensor(expected.logits).requiresGrad_(true);
      const target = tensor(expected.target, { dtype: 'int64' });
      const loss = nn.functional.crossEntropy(logits, target, lossOptions[name]());
      loss.sum().backward();
      assertClose(loss, expected.loss, 'loss');
      assertClose(logits.grad!, expected.gradLogits, 'gradient');
    });
  });
}

test('dropout in training zeroes about a share p and scales the rest to keep the mean', () => {
  scope(() => {
    manualSeed(0);
    const values = [...new nn.Dropout(0.25).call(tensor(new Float32Array(4000).fill(3))).data()].map(Number);
    const zeros = values.filter((value) => value === 0).length;
    assert.ok(Math.abs(zeros / 4000 - 0.25) < 0.03, `${zeros} zeros of 4000`);
    assert.ok(values.every((value) => value === 0 || value === 4));
  });
});

test('batch normalisation refuses an input of the wrong number of dimensions', () => {
  scope(() => {
    const layer = new nn.BatchNorm3d(2);
    assert.throws(() => layer.call(tensor([[1, 2]])), { name: 'TorchError', code: 'argument' });
    layer.dispose();
  });
});

test('training steps through modules leave no tensor behind', () => {
  const network = new nn.Sequential(
    new nn.Conv3d(1, 2, { kernelSize: 3, padding: 1 }),
    new nn.BatchNorm3d(2),
    new nn.ReLU({ inplace: true }),
    new nn.AdaptiveAvgPool3d(1),
    new nn.Flatten(),
    new nn.Dropout(0.5),
    new nn.Linear(2, 2),
  );
  const step = () =>
    scope(() => {
      network.zeroGrad();
      const x = tensor(
        new Float32Array(2 * 27).map((_, index) => Math.sin(index)),
        { shape: [2, 1, 3, 3, 3] },
      );
      nn.functional.crossEntropy(network.call(x), tensor([0, 1], { dtype: 'int64' })).backward();
    });
  step();
  const before = memory();
  for (let repeat = 0; repeat < 20; repeat++) {
    step();
  }
  const after = memory();
  assert.equal(after.liveTensors, before.liveTensors);
  // The allocator rounds sizes up now and then; 20 leaks of the smallest tensor would be more.
  assert.ok(after.liveBytes - before.liveBytes < 20 * 16, `${after.liveBytes - before.liveBytes} bytes more`);
  network.dispose();
});
