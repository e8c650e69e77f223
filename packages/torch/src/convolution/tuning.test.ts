import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { autocast } from '../amp/index.js';
import { grad, noGrad } from '../autograd.js';
import { randn } from '../creation.js';
import { TorchError } from '../errors.js';
import * as nn from '../nn/index.js';
import { manualSeed } from '../random.js';
import { scope } from '../scope.js';
import type { Tensor, TensorData } from '../tensor.js';
import { convolutionChoices, convolutionTuning, setConvolutionChoices } from './tuning.js';

afterEach(() => {
  convolutionTuning({ enabled: false });
  setConvolutionChoices({});
});

function network(): nn.Sequential {
  manualSeed(1);
  return new nn.Sequential(
    new nn.Conv3d(3, 32, { kernelSize: 3, padding: 1, stride: [1, 2, 2], bias: false }),
    new nn.ReLU({ inplace: true }),
    new nn.Conv3d(32, 32, { kernelSize: 3, padding: 1, bias: false }),
    new nn.Conv3d(32, 64, { kernelSize: 1, stride: 2, bias: false }),
  );
}

/** Two gradient steps; the outputs, the gradients and the weights at the end. */
function train(model: nn.Sequential): TensorData[] {
  const x = randn([2, 3, 4, 12, 12]);
  const results: TensorData[] = [];
  for (let step = 0; step < 2; step++) {
    scope(() => {
      const y = model.call(x) as Tensor;
      y.square().mean().backward();
      results.push(y.data());
      for (const parameter of model.parameters()) {
        results.push(parameter.grad!.data());
        noGrad(() => parameter.sub_(parameter.grad!.mul(0.1)));
        parameter.grad = null;
      }
    });
  }
  return results;
}

test('choices that are saved and set again give the same bits, and nothing is measured', () => {
  convolutionTuning({ enabled: true, milliseconds: 5 });
  train(network());
  const saved = JSON.stringify(convolutionChoices());
  assert.equal(Object.keys(JSON.parse(saved)).length, 8, 'three layers, no gradient of the first input');

  const repeated = [0, 1].map(() => {
    setConvolutionChoices(JSON.parse(saved));
    convolutionTuning({ enabled: true, measure: false });
    return train(network());
  });
  assert.deepEqual(repeated[0], repeated[1]);
  assert.equal(JSON.stringify(convolutionChoices()), saved);
});

test('what is tuned agrees with what is not', () => {
  const expected = train(network());
  convolutionTuning({ enabled: true, milliseconds: 5 });
  const actual = train(network());
  for (const [i, values] of actual.entries()) {
    const wanted = Array.from(expected[i]!, Number);
    const scale = Math.max(...wanted.map(Math.abs));
    for (const [k, value] of values.entries()) assert.ok(Math.abs(Number(value) - wanted[k]!) < 1e-3 * scale);
  }
});

test('without measuring and without choices everything is computed as if tuning were off', () => {
  const expected = train(network());
  convolutionTuning({ enabled: true, measure: false });
  assert.deepEqual(train(network()), expected);
  assert.deepEqual(convolutionChoices(), {});
});

test('is off by default, and leaves autocast and frozen layers to libtorch or to the passes they need', () => {
  const model = network();
  model.call(randn([1, 3, 2, 4, 4]));
  assert.deepEqual(convolutionChoices(), {});

  convolutionTuning({ enabled: true, milliseconds: 1 });
  const half = autocast({ dtype: 'bfloat16' }, () => model.call(randn([1, 3, 2, 4, 4])) as Tensor);
  assert.equal(half.dtype, 'bfloat16');
  assert.deepEqual(convolutionChoices(), {});

  noGrad(() => model.call(randn([1, 3, 2, 4, 4])));
  assert.ok(Object.keys(convolutionChoices()).every((key) => key.startsWith('forward')));
});

test('a choice that does not fit its problem is passed over', () => {
  const layer = new nn.Conv2d(3, 4, { kernelSize: 3 });
  const x = randn([1, 3, 5, 5]);
  const expected = (layer.call(x) as Tensor).data();
  convolutionTuning({ enabled: true, milliseconds: 1 });
  noGrad(() => layer.call(x));
  setConvolutionChoices(Object.fromEntries(Object.keys(convolutionChoices()).map((key) => [key, 'winograd4'])));
  assert.deepEqual(noGrad(() => layer.call(x) as Tensor).data(), expected);
});

test('second derivatives go through libtorch', () => {
  const secondDerivatives = () => {
    manualSeed(2);
    const layer = new nn.Conv2d(2, 2, { kernelSize: 2, bias: false });
    const x = randn([1, 2, 4, 4]).requiresGrad_();
    const y = layer.call(x) as Tensor;
    const [first] = grad([y.pow(3).sum()], [x], { createGraph: true });
    return grad([first!.square().sum()], [x])[0]!.data();
  };
  const expected = secondDerivatives();
  convolutionTuning({ enabled: true, milliseconds: 1 });
  const actual = secondDerivatives();
  for (const [i, value] of actual.entries()) {
    assert.ok(Math.abs(Number(value) - Number(expected[i])) <= 1e-4 * (1 + Math.abs(Number(expected[i]))));
  }
});

test('an unknown algorithm is refused with its name, and the choices stay', () => {
  setConvolutionChoices({ 'a problem': 'plain' });
  assert.throws(
    () => setConvolutionChoices({ other: 'fourier' }),
    (error) => error instanceof TorchError && error.code === 'argument' && error.message.includes("'fourier'"),
  );
  assert.deepEqual(convolutionChoices(), { 'a problem': 'plain' });
});
