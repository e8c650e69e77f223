import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory, nn, ones, optim, rand, scope, zeros } from '../index.js';
import { assertClose, readGolden, type StoredTensor, toState, toTensor } from '../testing/golden.js';

interface Masks {
  attnMask: StoredTensor | null;
  keyPaddingMask: StoredTensor | null;
}

const golden = readGolden<{
  attentions: {
    name: string;
    options: { batchFirst: boolean; bias: boolean; kdim: number; vdim: number };
    call: Masks & { needWeights: boolean; averageAttnWeights: boolean };
    state: Record<string, StoredTensor>;
    inputs: StoredTensor[];
    output: StoredTensor;
    weights: StoredTensor | null;
    probe: StoredTensor;
    gradInputs: StoredTensor[];
    gradParameters: Record<string, StoredTensor>;
  }[];
  encoders: {
    name: string;
    options: nn.TransformerEncoderLayerOptions;
    masks: { srcMask: StoredTensor | null; srcKeyPaddingMask: StoredTensor | null };
    state: Record<string, StoredTensor>;
    input: StoredTensor;
    output: StoredTensor;
    probe: StoredTensor;
    gradInput: StoredTensor;
  }[];
  products: {
    name: string;
    options: { scale?: number; isCausal: boolean; attnMask: StoredTensor | null };
    inputs: StoredTensor[];
    output: StoredTensor;
  }[];
}>('nn/attention.json');

const EMBED = 4;
const HEADS = 2;
const maskTensor = (mask: StoredTensor | null) => (mask === null ? null : toTensor(mask));

for (const { name, options, call, ...expected } of golden.attentions) {
  test(`MultiheadAttention, ${name}: output, weights, gradients and keys equal PyTorch's`, () => {
    scope(() => {
      const attention = new nn.MultiheadAttention(EMBED, HEADS, options);
      assert.deepEqual([...attention.stateDict().keys()], Object.keys(expected.state));
      attention.loadStateDict(toState(expected.state));
      const leaves = expected.inputs.map((stored) => toTensor(stored).requiresGrad_());
      const [query, key, value] = leaves.length === 1 ? [leaves[0]!, leaves[0]!, leaves[0]!] : leaves;
      const masks = { attnMask: maskTensor(call.attnMask), keyPaddingMask: maskTensor(call.keyPaddingMask) };
      const [output, weights] = attention.call(query!, key!, value!, { ...call, ...masks });
      output.mul(toTensor(expected.probe)).sum().backward();

      assertClose(output, expected.output, 'output');
      assert.equal(weights === null, expected.weights === null);
      if (weights && expected.weights) {
        assertClose(weights, expected.weights, 'weights');
      }
      for (const [index, leaf] of leaves.entries()) {
        assertClose(leaf.grad!, expected.gradInputs[index]!, `gradient of input ${index}`);
      }
      for (const [key, parameter] of attention.namedParameters()) {
        assertClose(parameter.grad!, expected.gradParameters[key]!, `gradient of ${key}`);
      }
      attention.dispose();
    });
  });
}

for (const { name, options, masks, ...expected } of golden.encoders) {
  test(`TransformerEncoderLayer, ${name}: output, gradient and keys equal PyTorch's`, () => {
    scope(() => {
      const layer = new nn.TransformerEncoderLayer(EMBED, HEADS, { dimFeedforward: 5, ...options }).eval();
      assert.deepEqual([...layer.stateDict().keys()], Object.keys(expected.state));
      layer.loadStateDict(toState(expected.state));
      const x = toTensor(expected.input).requiresGrad_();
      const output = layer.call(x, {
        srcMask: maskTensor(masks.srcMask),
        srcKeyPaddingMask: maskTensor(masks.srcKeyPaddingMask),
      });
      output.mul(toTensor(expected.probe)).sum().backward();
      assertClose(output, expected.output, 'output');
      assertClose(x.grad!, expected.gradInput, 'gradient');
      layer.dispose();
    });
  });
}

for (const { name, options, inputs, output } of golden.products) {
  test(`scaledDotProductAttention, ${name}, equals PyTorch's`, () => {
    scope(() => {
      const [query, key, value] = inputs.map(toTensor);
      const attnMask = maskTensor(options.attnMask);
      assertClose(
        nn.functional.scaledDotProductAttention(query!, key!, value!, { ...options, attnMask }),
        output,
        'output',
      );
    });
  });
}

test('attention dropout acts in training only', () => {
  scope(() => {
    const attention = new nn.MultiheadAttention(EMBED, HEADS, { dropout: 0.5, batchFirst: true });
    const x = rand([2, 16, EMBED]);
    const run = () => attention.call(x, x, x)[0];
    assert.ok(!run().equal(run()));
    attention.eval();
    assert.ok(run().equal(run()));
    attention.dispose();
  });
});

test('attention leaves nothing behind but its results', () => {
  scope(() => {
    const attention = new nn.MultiheadAttention(EMBED, HEADS, { batchFirst: true });
    const x = rand([1, 3, EMBED]);
    const mask = zeros([3, 3], { dtype: 'bool' });
    const before = memory().liveTensors;
    attention.call(x, x, x, { attnMask: mask });
    assert.equal(memory().liveTensors, before + 2);
    attention.dispose();
  });
});

test('training a transformer with a weight-normalised head, an average and a schedule leaves no tensor behind', () => {
  const encoder = new nn.TransformerEncoderLayer(EMBED, HEADS, { dimFeedforward: 8, batchFirst: true });
  const head = nn.weightNorm(new nn.Linear(EMBED, 3, { bias: false }));
  const network = new nn.Sequential(encoder, head);
  const optimizer = new optim.AdamW(network.parameters(), { lr: 1e-3 });
  const schedule = new optim.LambdaLR(optimizer, optim.warmupCosine({ warmupSteps: 2, totalSteps: 10 }));
  const average = new optim.EMA(network);
  const step = () =>
    scope(() => {
      optimizer.zeroGrad();
      nn.functional.crossEntropy(network.call(rand([2, 5, EMBED])).mean(1), zeros([2], { dtype: 'int64' })).backward();
      optim.clipGradNorm_(network.parameters(), 1);
      optimizer.step();
      schedule.step();
      average.update();
    });
  step();
  const before = memory().liveTensors;
  for (let repeat = 0; repeat < 10; repeat++) {
    step();
  }
  assert.equal(memory().liveTensors, before);
});

test('wrong shapes are refused with what is needed', () => {
  scope(() => {
    const refused = (call: () => unknown, message: RegExp) =>
      assert.throws(call, { name: 'TorchError', code: 'argument', message });
    refused(() => new nn.MultiheadAttention(5, 2), /the width 5 does not divide into 2 heads/);
    const attention = new nn.MultiheadAttention(EMBED, HEADS, { batchFirst: true });
    const x = ones([2, 3, EMBED]);
    refused(() => attention.call(zeros([3, EMBED]), x, x), /need 3 dimensions; query \[3,4\]/);
    refused(() => attention.call(x, ones([1, 3, EMBED]), x), /need one batch size/);
    refused(() => attention.call(x, ones([2, 4, EMBED]), x), /as many keys as values/);
    refused(() => attention.call(x, x, x, { attnMask: zeros([3, 2]) }), /attnMask has shape \[3,2\], but \[3,3\] or/);
    refused(() => attention.call(x, x, x, { keyPaddingMask: zeros([3, 2]) }), /keyPaddingMask has shape/);
    attention.dispose();
  });
});
