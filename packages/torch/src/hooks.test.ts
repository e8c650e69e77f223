import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countHeld } from './callbacks.js';
import { enableGrad, grad, keep, memory, ones, op, scope, type Tensor, TorchError, tensor } from './index.js';

test('a hook sees the gradient of a leaf once a pass, after all its uses are summed', () => {
  scope(() => {
    const x = tensor([1, 2], { requiresGrad: true });
    const seen: unknown[] = [];
    x.registerHook((gradient) => {
      seen.push(gradient.toArray());
    });
    x.mul(3).add(x).sum().backward();
    x.sum().backward();
    assert.deepEqual(seen, [
      [4, 4],
      [1, 1],
    ]);
    assert.deepEqual(x.grad?.toArray(), [5, 5]);
  });
});

test('what a hook returns takes the place of the gradient; hooks run in order, until they are removed', () => {
  scope(() => {
    const x = tensor([1], { requiresGrad: true });
    const y = x.mul(2);
    const first = y.registerHook((gradient) => gradient.mul(10));
    y.registerHook((gradient) => gradient.add(1));
    assert.equal(grad([y], [x], { retainGraph: true })[0]?.item(), 22);
    first.remove();
    first.remove();
    assert.equal(grad([y], [x])[0]?.item(), 4);
  });
});

test('a hook outlives the scope of its tensor, as long as the graph does, and no longer', () => {
  const before = countHeld();
  scope(() => {
    const x = tensor([1], { requiresGrad: true });
    const seen: number[] = [];
    const loss = scope(() => {
      const y = x.mul(2);
      y.registerHook((gradient) => {
        seen.push(gradient.item());
      });
      return y.mul(5).sum();
    });
    assert.equal(countHeld(), before + 1);
    loss.backward();
    assert.deepEqual(seen, [5]);
  });
  assert.equal(countHeld(), before);
});

test('neither hooks nor their tensors leak over many passes', () => {
  const held = countHeld();
  const { liveTensors, liveBytes } = memory();
  for (let i = 0; i < 50; i++) {
    scope(() => {
      const x = tensor([1, 2], { requiresGrad: true });
      const y = x.exp();
      y.registerHook((gradient) => gradient.mul(2));
      x.registerHook(() => undefined);
      y.sum().backward();
    });
  }
  assert.equal(countHeld(), held);
  assert.equal(memory().liveTensors, liveTensors);
  assert.equal(memory().liveBytes, liveBytes);
});

test('a hook that is taken off is let go while its tensor stays', () => {
  const held = countHeld();
  scope(() => {
    const weight = tensor([1, 2], { requiresGrad: true });
    for (let i = 0; i < 50; i++) weight.registerHook(() => undefined).remove();
    assert.equal(countHeld(), held);
    const seen: unknown[] = [];
    weight.registerHook((gradient) => void seen.push(gradient.toArray()));
    weight.sum().backward();
    assert.deepEqual(seen, [[1, 1]]);
    assert.equal(countHeld(), held + 1);
  });
  assert.equal(countHeld(), held);
});

test('a hook that is taken off after its tensor is disposed keeps silent', () => {
  scope(() => {
    const x = tensor([1], { requiresGrad: true });
    const y = x.mul(2);
    let calls = 0;
    const handle = y.registerHook(() => {
      calls += 1;
    });
    const loss = y.sum();
    y.dispose();
    handle.remove();
    loss.backward();
    assert.equal(calls, 0);
  });
});

test('a gradient is freed after the hook unless it is kept', () => {
  scope(() => {
    const x = tensor([1], { requiresGrad: true });
    let stolen: Tensor | undefined;
    let kept: Tensor | undefined;
    x.registerHook((gradient) => {
      stolen = gradient;
    });
    x.registerHook((gradient) => {
      kept = keep(gradient);
    });
    x.mul(3).backward();
    assert.equal(stolen!.disposed, true);
    assert.equal(kept!.item(), 3);
    kept!.dispose();
  });
});

test('what a hook throws comes out of backward() unchanged, whatever it is, and the next pass works', () => {
  scope(() => {
    const x = tensor([1], { requiresGrad: true });
    let problem: unknown;
    x.registerHook(() => {
      if (problem !== undefined) throw problem;
    });
    for (problem of [new RangeError('mine'), 'a string', 5, null, { code: 1 }]) {
      let caught: unknown;
      try {
        x.mul(2).backward();
      } catch (error) {
        caught = error;
      }
      assert.equal(caught, problem);
      const y = x.mul(2);
      y.registerHook(() => {
        throw problem;
      });
      assert.throws(
        () => grad([y], [x]),
        (error) => error === problem,
      );
    }
    problem = undefined;
    x.grad = null;
    x.mul(2).backward();
    assert.equal(x.grad!.item(), 2);
  });
});

test('an error inside an operator that a hook calls names that operator', () => {
  scope(() => {
    const x = ones([2, 3], { requiresGrad: true });
    x.registerHook((gradient) => gradient.matmul(gradient));
    const isMatmul = (error: unknown): boolean => error instanceof TorchError && error.operator === 'aten::matmul';
    assert.throws(() => x.sum().backward(), isMatmul);
    // aten::_backward is an operator that calls hooks while it runs.
    assert.throws(() => op('aten::_backward')(x.sum(), [x]), isMatmul);
    x.registerHook((gradient) => gradient.mul(1));
  });
});

test('a backward pass inside a hook, and operators looked up there', () => {
  scope(() => {
    const x = tensor([3], { requiresGrad: true });
    const inner = tensor([5], { requiresGrad: true });
    x.registerHook((gradient) => {
      enableGrad(() => inner.pow(2)).backward();
      return op('aten::heaviside')(gradient, tensor([0])) as Tensor;
    });
    op('aten::_backward')(x.mul(7).sum(), [x]);
    assert.equal(inner.grad?.item(), 10);
    assert.equal(x.grad?.item(), 1);
  });
});

test('misuse of hooks: no gradient, disposed, a wrong shape, a promise, no tensor', () => {
  scope(() => {
    const refused = (body: () => unknown, code: string, message: RegExp): void => {
      assert.throws(body, (error) => {
        assert.ok(error instanceof TorchError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      });
    };
    const held = countHeld();
    refused(() => tensor([1]).registerHook(() => undefined), 'operator', /doesn't require gradient/);
    const gone = tensor([1], { requiresGrad: true });
    gone.dispose();
    refused(() => gone.registerHook(() => undefined), 'disposed', /disposed/);
    assert.equal(countHeld(), held);

    const withHook = (hook: (gradient: Tensor) => unknown): Tensor => {
      const x = tensor([1, 2], { requiresGrad: true });
      x.registerHook(hook as () => Tensor);
      return x.sum();
    };
    refused(() => withHook(() => tensor([1])).backward(), 'operator', /size/);
    refused(() => withHook(async () => undefined).backward(), 'argument', /promise/);
    refused(() => withHook(() => 5).backward(), 'argument', /Tensor or null, and got number/);
    refused(() => withHook(() => gone).backward(), 'argument', /a disposed tensor/);
  });
});

test('retainGrad keeps the gradient of what is no leaf', () => {
  scope(() => {
    const x = tensor([2], { requiresGrad: true });
    const y = x.mul(3);
    y.retainGrad();
    y.pow(2).backward();
    assert.equal(y.grad?.item(), 12);
    assert.throws(() => tensor([1]).retainGrad(), TorchError);
  });
});
