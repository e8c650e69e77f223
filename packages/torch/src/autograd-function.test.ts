import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countHeld } from './callbacks.js';
import {
  autogradFunction,
  type FunctionContext,
  grad,
  gradcheck,
  gradgradcheck,
  manualSeed,
  memory,
  noGrad,
  randn,
  scope,
  type Tensor,
  TorchError,
  tensor,
} from './index.js';

const cube = autogradFunction({
  name: 'Cube',
  forward(context, x: Tensor) {
    context.saveForBackward(x);
    return x.pow(3);
  },
  backward(context, gradient) {
    const [x] = context.savedTensors;
    return gradient.mul(x!.square()).mul(3);
  },
});

/** exp, by its own output. */
const exp = autogradFunction({
  name: 'Exp',
  forward(context, x: Tensor) {
    const y = x.exp();
    context.saveForBackward(y);
    return y;
  },
  backward: (context, gradient) => gradient.mul(context.savedTensors[0]!),
});

/** Two inputs around a number, two outputs: [x * y, x * factor]. */
const scaledProduct = autogradFunction({
  name: 'ScaledProduct',
  forward(context, x: Tensor, factor: number, y: Tensor): [Tensor, Tensor] {
    context.saveForBackward(x, y, tensor(factor, { dtype: x.dtype }));
    return [x.mul(y), x.mul(factor)];
  },
  backward(context, ofProduct, ofScaled) {
    const [x, y, factor] = context.savedTensors;
    const ofX = context.needsInputGrad[0] ? ofProduct!.mul(y!).add(ofScaled!.mul(factor!)) : null;
    return [ofX, null, ofProduct!.mul(x!)];
  },
});

const draw = (shape: number[]): Tensor => randn(shape, { dtype: 'float64', requiresGrad: true });

test('custom functions have the gradients that finite differences give, second ones included', () => {
  manualSeed(3);
  scope(() => {
    gradcheck(cube, [draw([2, 3])]);
    gradgradcheck(cube, [draw([2, 3])]);
    gradcheck(exp, [draw([3])]);
    gradgradcheck(exp, [draw([3])]);
    const f = (x: Tensor, y: Tensor): Tensor[] => scaledProduct(x, 2.5, y);
    gradcheck(f, [draw([3]), draw([3])]);
    gradgradcheck(f, [draw([3]), draw([3])]);
  });
});

test('values, gradients of a chain, and an unused output', () => {
  scope(() => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = cube(x.mul(2));
    assert.deepEqual(y.toArray(), [8, 64]);
    assert.equal(y.gradFunctionName, 'CustomFunction');
    y.sum().backward();
    assert.deepEqual(x.grad?.toArray(), [24, 96]);
    const [product] = scaledProduct(x, 3, tensor([5, 6]));
    assert.deepEqual(grad([product.sum()], [x])[0]?.toArray(), [5, 6]);
  });
});

test('without recording nothing is held', () => {
  const held = countHeld();
  scope(() => {
    assert.equal(cube(tensor([2])).item(), 8);
    assert.equal(noGrad(() => cube(tensor([2], { requiresGrad: true }))).requiresGrad, false);
    tensor([1]).dispose();
    assert.equal(countHeld(), held);
  });
});

test('saved tensors survive the scope of the forward pass; nothing leaks, with or without a backward pass', () => {
  const held = countHeld();
  const { liveTensors, liveBytes } = memory();
  for (let i = 0; i < 50; i++) {
    scope(() => {
      const x = tensor([1, 2, 3], { requiresGrad: true });
      const loss = scope(() => exp(cube(x).mul(0.01)).sum());
      if (i % 2 === 0) loss.backward();
    });
  }
  assert.equal(memory().liveTensors, liveTensors);
  assert.equal(memory().liveBytes, liveBytes);
  assert.equal(countHeld(), held);
});

test('needsInputGrad tells which gradients are asked for', () => {
  scope(() => {
    const seen: (readonly boolean[])[] = [];
    const add = autogradFunction({
      name: 'Add',
      forward: (_, x: Tensor, __: string, y: Tensor) => x.add(y),
      backward(context, gradient) {
        seen.push(context.needsInputGrad);
        return [gradient, null, null];
      },
    });
    const x = tensor([1], { requiresGrad: true });
    add(x, 'text', tensor([2])).backward();
    assert.deepEqual(seen, [[true, false, false]]);
    assert.equal(x.grad?.item(), 1);
  });
});

test('outputs can be declared, or be by their dtype, without gradient', () => {
  scope(() => {
    const split = autogradFunction({
      name: 'Split',
      forward(context, x: Tensor): [Tensor, Tensor, Tensor] {
        const rounded = x.round();
        context.markNonDifferentiable(rounded);
        return [x.mul(2), rounded, x.gt(0)];
      },
      backward: (_, gradient) => gradient!.mul(2),
    });
    const x = tensor([1.4], { requiresGrad: true });
    const [doubled, rounded, sign] = split(x);
    assert.deepEqual(
      [doubled.requiresGrad, rounded.requiresGrad, sign.requiresGrad, rounded.item()],
      [true, false, false, 1],
    );
    doubled.backward();
    assert.equal(x.grad?.item(), 2);
  });
});

test('an input that is returned as it is becomes a view with a gradient of its own', () => {
  scope(() => {
    const reverse = autogradFunction({
      name: 'ReverseGradient',
      forward: (_, x: Tensor) => x,
      backward: (_, gradient) => gradient.neg(),
    });
    const x = tensor([2], { requiresGrad: true });
    reverse(x).mul(3).backward();
    assert.equal(x.grad?.item(), -3);
    const middle = x.mul(1);
    x.grad = null;
    reverse(middle).mul(3).backward();
    assert.equal((x.grad as Tensor | null)?.item(), -3);
  });
});

/** A function of one input whose backward pass is given. */
const withBackward = (backward: (context: FunctionContext, gradient: Tensor) => unknown) =>
  autogradFunction({
    name: 'Wrong',
    forward: (_, x: Tensor) => x.mul(2),
    backward: backward as () => Tensor,
  });

test('errors: thrown in forward and backward, a wrong number, shape or kind of gradients', () => {
  scope(() => {
    const x = tensor([1, 2], { requiresGrad: true });
    const mine = new Error('mine');
    const failing = autogradFunction({
      name: 'Failing',
      forward: (): Tensor => {
        throw mine;
      },
      backward: () => null,
    });
    assert.throws(
      () => failing(),
      (error) => error === mine,
    );
    const inBackward = withBackward(() => {
      throw mine;
    });
    assert.throws(
      () => inBackward(x).sum().backward(),
      (error) => error === mine,
    );
    const cases: [unknown, RegExp][] = [
      [[null, null], /Wrong: backward gave 2 gradients for 1 arguments/],
      [tensor([1, 2, 3]), /CustomFunction returned an invalid gradient at index 0 - got \[3\]/],
      ['text', /a gradient must be a Tensor or null|backward gave/],
    ];
    for (const [returned, message] of cases) {
      assert.throws(
        () =>
          withBackward(() => returned)(x)
            .sum()
            .backward(),
        (error) => error instanceof TorchError && message.test(error.message),
      );
    }
    withBackward(() => null)(x)
      .sum()
      .backward();
    assert.equal(x.grad, null);
  });
});

test('a saved tensor that was changed in place is noticed', () => {
  scope(() => {
    const x = tensor([1], { requiresGrad: true }).mul(2);
    const y = cube(x);
    x.add_(1);
    assert.throws(() => y.backward(), /modified by an inplace operation/);
  });
});

test('a tensor that was not saved is gone in backward, and the error says so', () => {
  scope(() => {
    let remembered: Tensor;
    const careless = autogradFunction({
      name: 'Careless',
      forward(_, x: Tensor) {
        remembered = x.mul(2);
        return x.exp();
      },
      backward: (_, gradient) => gradient.mul(remembered),
    });
    const x = tensor([1], { requiresGrad: true });
    assert.throws(
      () => careless(x).backward(),
      (error) => error instanceof TorchError && error.code === 'disposed',
    );
  });
});
