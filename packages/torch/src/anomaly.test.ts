import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countHeld } from './callbacks.js';
import {
  autogradFunction,
  detectAnomaly,
  einsum,
  grad,
  gradcheck,
  inferenceMode,
  isAnomalyEnabled,
  matmul,
  randn,
  scope,
  setDetectAnomaly,
  type Tensor,
  TorchError,
  tensor,
} from './index.js';

const isAnomaly =
  (message: RegExp, operator?: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof TorchError, String(error));
    assert.equal(error.code, 'anomaly');
    assert.match(error.message, message);
    if (operator) assert.equal(error.operator, operator);
    return true;
  };

/** 0 * d/dx sqrt(x) at x = 0 is 0 * Infinity. */
function lossWithNan(x: Tensor): Tensor {
  return x.sqrt().mul(0).sum();
}

test('NaN in a backward pass names the step, the operator and the line that called it', () => {
  scope(() => {
    const x = tensor([0, 1], { requiresGrad: true });
    lossWithNan(x).backward();
    assert.ok(Number.isNaN((x.grad!.toArray() as number[])[0]), 'without detection NaN passes silently');
    const loss = detectAnomaly(() => lossWithNan(x));
    assert.throws(
      () => loss.backward(),
      isAnomaly(/SqrtBackward0 gave NaN .* input 0;(.*\n){1,4}.*lossWithNan/, 'aten::sqrt'),
    );
  });
});

test('steps inside composed operators, second derivatives and custom functions are watched', () => {
  scope(() => {
    detectAnomaly(() => {
      const x = tensor([0, 0], { requiresGrad: true });
      const infinite = tensor([Number.POSITIVE_INFINITY, 1]);
      const composed = einsum('i,i->', [x, infinite]).mul(0);
      assert.throws(() => composed.backward(), isAnomaly(/BmmBackward0 gave NaN/, 'aten::einsum'));
      const [slope] = grad([x.pow(1.5).mul(0).sum()], [x], { createGraph: true });
      assert.deepEqual(slope?.toArray(), [0, 0]);
      assert.throws(() => slope!.sum().backward(), isAnomaly(/PowBackward0 gave NaN/));
      const broken = autogradFunction({
        name: 'Broken',
        forward: (_, y: Tensor) => y.mul(2),
        backward: (_, gradient) => gradient.mul(Number.NaN),
      });
      assert.throws(() => broken(x).sum().backward(), isAnomaly(/CustomFunction gave NaN/));
    });
  });
});

test('a healthy pass is not disturbed, and nothing is held after it', () => {
  const held = countHeld();
  scope(() =>
    detectAnomaly(() => {
      const x = randn([3, 3], { requiresGrad: true });
      const loss = matmul(x, x).softmax(1).log().sum();
      loss.backward();
      assert.deepEqual(x.grad?.shape, [3, 3]);
    }),
  );
  assert.equal(countHeld(), held);
});

test('the switch goes back after a throw', () => {
  assert.throws(() =>
    detectAnomaly(() => {
      assert.equal(isAnomalyEnabled(), true);
      throw new Error('no');
    }),
  );
  assert.equal(isAnomalyEnabled(), false);
  setDetectAnomaly(true);
  assert.equal(isAnomalyEnabled(), true);
  setDetectAnomaly(false);
});

test('gradcheck finds a wrong backward pass and says where', () => {
  scope(() => {
    const wrong = autogradFunction({
      name: 'Wrong',
      forward: (_, x: Tensor) => x.square(),
      backward: (_, gradient) => gradient.mul(2),
    });
    const x = tensor([1, 3], { dtype: 'float64', requiresGrad: true });
    assert.throws(
      () => gradcheck(wrong, [x]),
      isAnomaly(/output 0\[1\] by input 0\[1\]: the gradient is 2, .* give 6/),
    );
    gradcheck((y) => y.square(), [x]);
  });
});

test('gradcheck takes several inputs and outputs, also such that do not depend on each other', () => {
  scope(() => {
    const x = randn([2], { dtype: 'float64', requiresGrad: true });
    const y = randn([2, 2], { dtype: 'float64', requiresGrad: true });
    gradcheck((a, b) => [a.mul(3), b.transpose(0, 1).exp(), a.detach()], [x, y]);
  });
});

test('gradcheck refuses float32 and inputs without gradient', () => {
  scope(() => {
    const refused = (x: Tensor, message: RegExp): void =>
      assert.throws(
        () => gradcheck((y) => y.mul(2), [x]),
        (error) => error instanceof TorchError && error.code === 'argument' && message.test(error.message),
      );
    refused(tensor([1], { requiresGrad: true }), /input 0 is float32/);
    refused(tensor([1], { dtype: 'float64' }), /no input requires/);
  });
});

test('inference mode records nothing, passes errors and results on, and its tensors cannot be trained with', () => {
  scope(() => {
    const x = tensor([2], { requiresGrad: true });
    const y = inferenceMode(() => x.mul(3));
    assert.deepEqual([y.item(), y.requiresGrad], [6, false]);
    const mine = new Error('mine');
    assert.throws(
      () =>
        inferenceMode(() => {
          throw mine;
        }),
      (error) => error === mine,
    );
    assert.throws(
      () => x.mul(y),
      (error) => error instanceof TorchError && /noGrad/.test(error.hint ?? ''),
    );
    assert.throws(() => inferenceMode(async () => 1), TorchError);
    assert.equal(x.mul(2).requiresGrad, true);
  });
});
