import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualSeed, memory, nn, ones, scope, type Tensor, tensor, zeros } from '../index.js';
import { assertClose, readGolden, type StoredTensor, toState, toTensor } from '../testing/golden.js';

interface LayerCase {
  name: string;
  mode: 'train' | 'eval';
  printed: string;
  state: Record<string, StoredTensor>;
  input: StoredTensor;
  output: StoredTensor;
  probe: StoredTensor;
  gradInput: StoredTensor | null;
  gradParameters: Record<string, StoredTensor>;
  buffersAfter: Record<string, StoredTensor>;
}

const golden = readGolden<{
  layers: LayerCase[];
  initialisation: { name: string; state: Record<string, StoredTensor> }[];
}>('nn/layers.json');

class Normalize extends nn.Module {
  constructor(readonly options: { p?: number; dim?: number }) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return nn.functional.normalize(x, this.options);
  }
}

class MLP extends nn.Module {
  readonly blocks = new nn.ModuleList([new nn.Linear(3, 3), new nn.Linear(3, 3, { bias: false })]);
  readonly heads = new nn.ModuleDict<nn.Layer>({
    action: new nn.Linear(3, 2),
    scene: new nn.Sequential(new nn.ReLU(), new nn.Linear(3, 2)),
  });
  readonly scales = new nn.ParameterList([new nn.Parameter(ones([3])), new nn.Parameter(ones([1]))]);

  override forward(x: Tensor): Tensor {
    const [inner, outer] = [...this.scales];
    const features = [...this.blocks].reduce((sum, block) => sum.add(block.call(sum).mul(inner!)), x);
    return this.heads.get('action')!.call(features).add(this.heads.get('scene')!.call(features).mul(outer!));
  }
}

const conv3d = { kernelSize: 3, stride: [1, 2, 2], padding: [2, 1, 1], dilation: [2, 1, 1], bias: false };
const convTranspose2d = { kernelSize: [3, 2], stride: [2, 1], padding: [1, 0], groups: 2, bias: false };
const layers: Record<string, () => nn.Layer> = {
  linear: () => new nn.Linear(3, 4),
  linearNoBias: () => new nn.Linear(3, 4, { bias: false }),
  conv1d: () => new nn.Conv1d(2, 3, { kernelSize: 3, stride: 2, padding: 1 }),
  conv2d: () => new nn.Conv2d(2, 4, { kernelSize: [3, 2], stride: [2, 1], padding: [1, 0], groups: 2 }),
  conv3d: () => new nn.Conv3d(2, 3, conv3d),
  convTranspose1d: () => new nn.ConvTranspose1d(2, 3, { kernelSize: 3, stride: 2, padding: 1, outputPadding: 1 }),
  convTranspose2d: () => new nn.ConvTranspose2d(4, 2, convTranspose2d),
  convTranspose3d: () => new nn.ConvTranspose3d(2, 1, { kernelSize: 2, stride: [1, 2, 2], dilation: [2, 1, 1] }),
  batchNorm1d: () => new nn.BatchNorm1d(3),
  batchNorm2d: () => new nn.BatchNorm2d(2, { eps: 1e-3, momentum: 0.3 }),
  batchNorm2dPlain: () => new nn.BatchNorm2d(2, { affine: false }),
  batchNorm3d: () => new nn.BatchNorm3d(2),
  layerNorm: () => new nn.LayerNorm(4),
  layerNormTwo: () => new nn.LayerNorm([3, 4], { eps: 1e-3 }),
  layerNormPlain: () => new nn.LayerNorm(4, { elementwiseAffine: false }),
  groupNorm: () => new nn.GroupNorm(2, 4),
  groupNormPlain: () => new nn.GroupNorm(3, 3, { eps: 1e-3, affine: false }),
  relu: () => new nn.ReLU(),
  reluInplace: () => new nn.ReLU({ inplace: true }),
  relu6: () => new nn.ReLU6(),
  leakyRelu: () => new nn.LeakyReLU(),
  leakyReluSteep: () => new nn.LeakyReLU(0.2),
  prelu: () => new nn.PReLU(),
  preluChannels: () => new nn.PReLU({ numParameters: 3 }),
  elu: () => new nn.ELU(),
  celu: () => new nn.CELU(0.5),
  selu: () => new nn.SELU(),
  gelu: () => new nn.GELU(),
  geluTanh: () => new nn.GELU({ approximate: 'tanh' }),
  quickGelu: () => new nn.QuickGELU(),
  silu: () => new nn.SiLU(),
  mish: () => new nn.Mish(),
  sigmoid: () => new nn.Sigmoid(),
  logSigmoid: () => new nn.LogSigmoid(),
  hardsigmoid: () => new nn.Hardsigmoid(),
  hardswish: () => new nn.Hardswish(),
  tanh: () => new nn.Tanh(),
  hardtanh: () => new nn.Hardtanh({ minVal: -0.5, maxVal: 0.7 }),
  softplus: () => new nn.Softplus(),
  softmax: () => new nn.Softmax(1),
  logSoftmax: () => new nn.LogSoftmax(-1),
  glu: () => new nn.GLU(),
  dropout: () => new nn.Dropout(0.4),
  dropout2d: () => new nn.Dropout2d(0.4),
  embedding: () => new nn.Embedding(5, 3, { paddingIdx: 1 }),
  maxPool1d: () => new nn.MaxPool1d({ kernelSize: 3, stride: 2, padding: 1 }),
  maxPool2d: () => new nn.MaxPool2d({ kernelSize: 3, stride: 2, dilation: 2, ceilMode: true }),
  maxPool3d: () => new nn.MaxPool3d({ kernelSize: [1, 3, 3], stride: [1, 2, 2], padding: [0, 1, 1] }),
  avgPool1d: () => new nn.AvgPool1d({ kernelSize: 3, stride: 2, padding: 1 }),
  avgPool2d: () => new nn.AvgPool2d({ kernelSize: [3, 2], ceilMode: true }),
  avgPool3d: () => new nn.AvgPool3d({ kernelSize: 3, stride: 2, padding: 1, countIncludePad: false }),
  adaptiveAvgPool1d: () => new nn.AdaptiveAvgPool1d(4),
  adaptiveAvgPool2d: () => new nn.AdaptiveAvgPool2d([4, 3]),
  adaptiveAvgPool3d: () => new nn.AdaptiveAvgPool3d([2, 1, 1]),
  adaptiveMaxPool1d: () => new nn.AdaptiveMaxPool1d(4),
  adaptiveMaxPool2d: () => new nn.AdaptiveMaxPool2d([4, 3]),
  adaptiveMaxPool3d: () => new nn.AdaptiveMaxPool3d(2),
  identity: () => new nn.Identity(),
  flatten: () => new nn.Flatten(),
  flattenSome: () => new nn.Flatten({ startDim: 0, endDim: 1 }),
  unflatten: () => new nn.Unflatten(1, [2, -1]),
  weightNormLinear: () => nn.weightNorm(new nn.Linear(3, 4)),
  weightNormConv: () => nn.weightNorm(new nn.Conv1d(2, 3, { kernelSize: 2, bias: false }), { dim: 1 }),
  weightNormWhole: () => nn.weightNorm(new nn.Linear(3, 2), { dim: null }),
  sequential: () =>
    new nn.Sequential(
      new nn.Linear(3, 4, { bias: false }),
      new nn.BatchNorm1d(4),
      new nn.ReLU({ inplace: true }),
      new nn.Linear(4, 2),
    ),
  containers: () => new MLP(),
  normalize: () => new Normalize({ dim: 1 }),
  normalizeL1: () => new Normalize({ p: 1, dim: -1 }),
};

for (const expected of golden.layers) {
  test(`${expected.name} (${expected.mode}): output, gradients, running statistics and keys equal PyTorch's`, () => {
    scope(() => {
      const layer = layers[expected.name]!().train(expected.mode === 'train');
      assert.deepEqual([...layer.stateDict().keys()], Object.keys(expected.state));
      layer.loadStateDict(toState(expected.state));

      const x = toTensor(expected.input);
      // A layer that overwrites its input may not be given a leaf.
      const given = expected.gradInput === null ? x : x.requiresGrad_().mul(1);
      const y = layer.call(given);
      y.mul(toTensor(expected.probe)).sum().backward();

      assertClose(y, expected.output, 'output');
      if (expected.gradInput !== null) {
        assertClose(x.grad!, expected.gradInput, 'gradient of the input');
      }
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

test('every layer prints as in PyTorch', () => {
  for (const { name, printed } of golden.layers) {
    // PyTorch lists the values of parameter lists as well.
    const text = printed.replace(/ParameterList\([\s\S]*?\n {2}\)/, 'ParameterList()');
    assert.equal(String(layers[name]!()), text, name);
  }
});

function filled(shape: number[], initialise: (weight: Tensor) => void): nn.Module {
  const holder = new nn.ParameterList([new nn.Parameter(zeros(shape))]);
  initialise(holder.at(0)!);
  return holder;
}

const { init } = nn;
const initialised: Record<string, () => nn.Module> = {
  linear: () => new nn.Linear(5, 4),
  conv1d: () => new nn.Conv1d(2, 3, { kernelSize: 2 }),
  conv2d: () => new nn.Conv2d(4, 2, { kernelSize: 3, groups: 2 }),
  conv3d: () => new nn.Conv3d(2, 3, { kernelSize: [1, 2, 2] }),
  convTranspose2d: () => new nn.ConvTranspose2d(4, 2, { kernelSize: 3, groups: 2 }),
  batchNorm3d: () => new nn.BatchNorm3d(3),
  layerNorm: () => new nn.LayerNorm(3),
  embedding: () => new nn.Embedding(4, 3, { paddingIdx: 2 }),
  multiheadAttention: () => new nn.MultiheadAttention(4, 2),
  crossAttention: () => new nn.MultiheadAttention(4, 2, { kdim: 3, vdim: 5 }),
  weightNorm: () => nn.weightNorm(new nn.Linear(3, 4)),
  kaimingNormalFanOut: () =>
    filled([4, 2, 3, 1, 1], (weight) => init.kaimingNormal_(weight, { mode: 'fanOut', nonlinearity: 'relu' })),
  kaimingUniform: () => filled([4, 3], (weight) => init.kaimingUniform_(weight, { a: 0.2 })),
  xavierUniform: () => filled([4, 3, 2], (weight) => init.xavierUniform_(weight, { gain: init.calculateGain('tanh') })),
  xavierNormal: () => filled([4, 3], (weight) => init.xavierNormal_(weight)),
  truncNormal: () => filled([5, 4], (weight) => init.truncNormal_(weight, { mean: 0.1, std: 0.5, a: -0.6, b: 0.9 })),
  orthogonalTall: () => filled([5, 3], (weight) => init.orthogonal_(weight, { gain: 2 })),
  orthogonalWide: () => filled([3, 2, 4], (weight) => init.orthogonal_(weight)),
  eye: () => filled([2, 3], (weight) => init.eye_(weight)),
};

for (const { name, state } of golden.initialisation) {
  test(`${name}: the same seed gives PyTorch's initial weights`, () => {
    scope(() => {
      manualSeed(3);
      const module = initialised[name]!();
      const expected = Object.entries(state);
      for (const [index, [key, value]] of [...module.stateDict()].entries()) {
        const [expectedKey, expectedValue] = expected[index]!;
        assertClose(value, expectedValue, expectedKey);
        assert.ok(key === expectedKey || module instanceof nn.ParameterList, `${key} stands for ${expectedKey}`);
      }
      module.dispose();
    });
  });
}

test('orthogonal_ makes orthogonal columns or rows, whichever are fewer, of length gain', () => {
  scope(() => {
    for (const shape of [
      [6, 2, 2],
      [2, 6],
      [3, 3],
    ] as const) {
      const weight = init.orthogonal_(zeros(shape), { gain: 2 }).flatten({ startDim: 1 });
      const [rows, columns] = weight.shape as [number, number];
      const gram = rows < columns ? weight.matmul(weight.t()) : weight.t().matmul(weight);
      const size = Math.min(rows, columns);
      const expected = Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 4 : 0));
      assertClose(gram, { shape: [size, size], values: expected }, `Gram matrix of [${shape}]`);
    }
  });
});

test('truncNormal_ stays in [a, b] and has the moments of the truncated normal distribution', () => {
  scope(() => {
    manualSeed(1);
    const x = init.truncNormal_(zeros([20_000]), { a: -1, b: 1 });
    assert.ok(x.min().item() >= -1 && x.max().item() <= 1);
    // Variance 1 - 2 φ(1) / (2 Φ(1) - 1) = 0.2911.
    assert.ok(Math.abs(x.mean().item()) < 0.015, `mean ${x.mean().item()}`);
    assert.ok(Math.abs(x.var(undefined).item() - 0.2911) < 0.01, `variance ${x.var(undefined).item()}`);
  });
});

test('channel dropout keeps or drops whole channels', () => {
  scope(() => {
    manualSeed(0);
    const y = new nn.Dropout3d(0.25).call(ones([50, 40, 1, 2, 2]));
    const channels = y.view([2000, 4]);
    assert.ok(channels.amax([1]).equal(channels.amin([1])));
    const dropped = channels.select(1, 0).eq(0).sum().item() / 2000;
    assert.ok(Math.abs(dropped - 0.25) < 0.04, `${dropped} dropped`);
    assert.ok(Math.abs(y.max().item() - 4 / 3) < 1e-6);
  });
});

test('dropout in training zeroes about a share p and scales the rest to keep the mean', () => {
  scope(() => {
    manualSeed(0);
    const values = [...new nn.Dropout(0.25).call(tensor(new Float32Array(4000).fill(3))).data()].map(Number);
    const zeros = values.filter((value) => value === 0).length;
    assert.ok(Math.abs(zeros / 4000 - 0.25) < 0.03, `${zeros} zeros of 4000`);
    assert.ok(values.every((value) => value === 0 || value === 4));
  });
});

test('stochastic depth keeps or drops whole samples, with their gradients, and only in training', () => {
  scope(() => {
    manualSeed(0);
    const layer = new nn.StochasticDepth(0.25);
    const x = ones([2000, 2, 3]).requiresGrad_();
    const y = layer.call(x);
    y.sum().backward();
    const samples = y.view([2000, 6]);
    assert.ok(samples.amax([1]).equal(samples.amin([1])));
    assert.ok(x.grad!.equal(y));
    const dropped = samples.select(1, 0).eq(0).sum().item() / 2000;
    assert.ok(Math.abs(dropped - 0.25) < 0.04, `${dropped} dropped`);
    assert.ok(Math.abs(y.max().item() - 4 / 3) < 1e-6);
    assert.equal(layer.eval().call(x), x);
  });
});

test('wrong sizes are refused with the name of what is wrong', () => {
  const refused = (make: () => unknown, message: RegExp) =>
    scope(() => assert.throws(make, { name: 'TorchError', code: 'argument', message }));
  refused(() => new nn.BatchNorm3d(2).call(zeros([1, 2])), /BatchNorm3d takes inputs of 5 dimensions, not \[1,2\]/);
  refused(() => new nn.Dropout2d().call(zeros([1, 2])), /Dropout2d takes inputs of 4 dimensions/);
  refused(() => new nn.Dropout(1.5), /Dropout: the probability of a zero must lie in \[0, 1\], not 1.5/);
  refused(() => new nn.Conv2d(2, 2, { kernelSize: [3, 3, 3] }), /kernelSize needs 2 numbers/);
  refused(() => new nn.Conv2d(3, 4, { kernelSize: 3, groups: 2 }), /Conv2d: 3 input and 4 output channels/);
  refused(() => new nn.ConvTranspose1d(4, 3, { kernelSize: 3, groups: 2 }), /ConvTranspose1d: 4 input and 3 output/);
  refused(() => new nn.MaxPool2d({ kernelSize: 2, stride: [1, 1, 1] }), /stride needs 2 numbers/);
  refused(() => new nn.AdaptiveAvgPool3d([1, 1]), /outputSize needs 3 numbers/);
  refused(() => new nn.GroupNorm(2, 3), /GroupNorm: 3 channels do not divide into 2 groups/);
  refused(() => new nn.Embedding(3, 2, { paddingIdx: 3 }), /paddingIdx 3 is no row of a table of 3/);
  refused(() => init.xavierNormal_(zeros([3])), /a weight has 2 or more dimensions, not \[3\]/);
  refused(() => init.orthogonal_(zeros([3])), /orthogonal_: a weight has 2 or more dimensions/);
  refused(() => init.eye_(zeros([1, 2, 3])), /eye_ fills a matrix/);
  refused(() => nn.weightNorm(new nn.ReLU()), /weightNorm: ReLU has no parameter 'weight'/);
  refused(() => nn.removeWeightNorm(new nn.Linear(1, 1)), /'weight' of Linear is not split/);
});

test('weight norm leaves the output as it was, trains both parts, and can be undone', () => {
  scope(() => {
    const layer = new nn.Linear(3, 2);
    const x = tensor([[1, -2, 0.5]]);
    const plain = { shape: [1, 2], values: [...layer.call(x).data()].map(Number) };
    const { weightG } = nn.weightNorm(layer);
    assert.deepEqual(weightG.shape, [2, 1]);
    assertClose(layer.call(x), plain, 'output');
    layer.call(x).sum().backward();
    assert.deepEqual(
      [...layer.namedParameters()].map(([key, { grad }]) => [key, grad !== null]),
      [
        ['bias', true],
        ['weight_g', true],
        ['weight_v', true],
      ],
    );
    nn.removeWeightNorm(layer);
    assert.deepEqual([...layer.stateDict().keys()], ['bias', 'weight']);
    assertClose(layer.call(x), plain, 'output afterwards');
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
