import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  crossEntropyLoss,
  keep,
  memory,
  nn,
  noGrad,
  optim,
  rand,
  randint,
  scope,
  TorchError,
  tensor,
  zeros,
} from './index.js';

/** Asserts that `body` leaves as many live native tensors as it found. */
function assertNoLeak(body: () => void): void {
  const before = memory().liveTensors;
  body();
  assert.equal(memory().liveTensors, before);
}

test('a scope frees what it made, and its result stays', () => {
  const before = memory().liveTensors;
  const sum = scope(() => rand([3]).add(1).mul(2).sum());
  assert.equal(memory().liveTensors, before + 1);
  assert.equal(sum.disposed, false);
  sum.dispose();
  assert.equal(memory().liveTensors, before);
});

test('tensors in arrays, objects, Maps and Sets of the result stay, cycles included', () => {
  assertNoLeak(() => {
    const result = scope(() => {
      const cyclic: Record<string, unknown> = {
        a: [zeros([1])],
        b: new Map([['x', zeros([2])]]),
        c: new Set([zeros([3])]),
      };
      cyclic.self = cyclic;
      zeros([4]);
      return cyclic as { a: { dispose(): void }[]; b: Map<string, { dispose(): void }>; c: Set<{ dispose(): void }> };
    });
    for (const kept of [...result.a, ...result.b.values(), ...result.c]) kept.dispose();
  });
});

test('what an inner scope returns belongs to the outer one', () => {
  assertNoLeak(() =>
    scope(() => {
      const inner = scope(() => zeros([2]).add(1));
      assert.deepEqual(inner.toArray(), [1, 1]);
    }),
  );
});

test('an outer tensor that an inner scope returns is not freed by it', () => {
  scope(() => {
    const outer = zeros([1]);
    assert.equal(
      scope(() => outer),
      outer,
    );
    assert.equal(outer.disposed, false);
  });
});

test('a scope frees everything when its body throws', () => {
  assertNoLeak(() => {
    assert.throws(
      () =>
        scope(() => {
          rand([3]).add(1);
          throw new Error('no');
        }),
      /no/,
    );
  });
  assertNoLeak(() => assert.throws(() => scope(() => rand([2, 3]).matmul(rand([2, 3]))), TorchError));
});

test('the enclosing scope is the current one again after a throw', () => {
  assertNoLeak(() =>
    scope(() => {
      assert.throws(() =>
        scope(() => {
          throw new Error('no');
        }),
      );
      zeros([1]);
    }),
  );
});

test('keep() takes a tensor out of all scopes', () => {
  const kept = scope(() => scope(() => keep(zeros([2]))) && keep(tensor([5])));
  assert.equal(kept.item(), 5);
  kept.dispose();
  const inner = scope(() => {
    const x = zeros([2]);
    scope(() => keep(x));
    return { x };
  });
  assert.equal(inner.x.disposed, false);
  inner.x.dispose();
});

test('a scope refuses a promise and still frees', () => {
  assertNoLeak(() => {
    assert.throws(
      () => scope(async () => zeros([1])),
      (error) => error instanceof TorchError && error.code === 'argument',
    );
  });
  assert.throws(() => noGrad(async () => 1), TorchError);
});

test('dispose twice is harmless; `using` semantics call it', () => {
  assertNoLeak(() => {
    const x = zeros([1]);
    x[Symbol.dispose]();
    x.dispose();
    assert.equal(x.disposed, true);
  });
});

test('a view keeps the memory alive after its base is disposed', () => {
  scope(() => {
    const base = tensor([1, 2, 3]);
    const view = base.narrow(0, 1, 2);
    base.dispose();
    assert.deepEqual(view.toArray(), [2, 3]);
  });
});

test('300 training steps keep tensors and bytes flat', () => {
  const net = new nn.Sequential(new nn.Linear(16, 32), new nn.ReLU(), new nn.Linear(32, 4));
  const adam = new optim.Adam(net.parameters(), { lr: 1e-3 });
  const step = (): void =>
    scope(() => {
      const loss = crossEntropyLoss(net.call(rand([8, 16])), randint(0, 4, [8]));
      adam.zeroGrad();
      loss.backward();
      adam.step();
    });
  for (let i = 0; i < 5; i++) step();
  const before = memory();
  for (let i = 0; i < 300; i++) step();
  const after = memory();
  assert.equal(after.liveTensors, before.liveTensors);
  assert.equal(after.liveBytes, before.liveBytes);
});

test('live bytes see what only the graph of autograd holds', () => {
  scope(() => {
    const x = zeros([1024], { requiresGrad: true });
    const before = memory().liveBytes;
    const loss = scope(() => x.exp().sum());
    assert.equal(memory().liveBytes - before, 4096 + 4, 'exp(x), which the graph holds, and the loss');
    loss.backward();
    assert.equal(memory().liveBytes - before, 4096 + 4, 'the gradient of x instead of exp(x), and the loss');
  });
});

test('the garbage collector frees what no scope owns', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const before = memory().liveTensors;
  for (let i = 0; i < 100; i++) zeros([1]);
  for (let i = 0; i < 50 && memory().liveTensors > before; i++) {
    collect();
    await setTimeout(10);
  }
  assert.ok(memory().liveTensors <= before, `${memory().liveTensors - before} left`);
});
