import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import {
  crossEntropyLoss,
  enableGrad,
  fromBuffer,
  fromFile,
  keep,
  memory,
  nn,
  noGrad,
  ones,
  optim,
  randint,
  randn,
  scope,
  type Tensor,
  TorchError,
  tensor,
  zeros,
} from './index.js';

/** Asserts by how many bytes `body` changes what V8 is told that its garbage collector could free. */
function assertReported(body: () => unknown, bytes: number): void {
  const before = memory().collectableBytes;
  body();
  assert.equal(memory().collectableBytes - before, bytes);
}

test('V8 is told of the memory that the garbage collector can free, of each storage once', () => {
  let base!: Tensor;
  let view!: Tensor;
  assertReported(() => scope(() => zeros([100]).sum().item()), 0);
  assertReported(() => {
    base = zeros([100]);
  }, 400);
  assertReported(() => {
    view = base.narrow(0, 0, 10);
  }, 0);
  assertReported(() => base.dispose(), 0);
  assertReported(() => view.dispose(), -400);
  assertReported(() => {
    scope(() => {
      view = keep(zeros([100]).narrow(0, 0, 10));
    });
  }, 400);
  assertReported(() => view.dispose(), -400);
});

test('V8 is told of the memory that a module has after it is moved', () => {
  let layer!: nn.Linear;
  assertReported(() => {
    layer = new nn.Linear(10, 10);
  }, 440);
  assertReported(() => layer.to({ dtype: 'float64' }), 440);
  assertReported(() => layer.dispose(), -880);
});

test('V8 is not told of its own buffers, nor of mapped files', () => {
  let x!: Tensor;
  assertReported(() => {
    x = fromBuffer(new Float32Array(100));
  }, 0);
  x.dispose();
  assertReported(() => {
    x = fromFile(fileURLToPath(import.meta.url), { shape: [100] });
  }, 0);
  x.dispose();
});

test('a loop without scopes does not run out of memory: the collector is made to run', async () => {
  const before = memory().liveBytes;
  let most = 0;
  for (let i = 0; i < 60; i++) {
    for (let k = 0; k < 5; k++) zeros([2 ** 20]);
    most = Math.max(most, memory().liveBytes - before);
    await setTimeout(0);
  }
  assert.ok(most < 150 * 2 ** 22, `${most} bytes of ${300 * 2 ** 22}`);
});

test('a no-grad forward of a 50-layer network holds the activations of one layer, not of all', () => {
  const layers = Array.from({ length: 50 }, () => new nn.Linear(64, 64));
  const net = new nn.Sequential(...layers);
  scope(() => {
    const x = randn([1024, 64]);
    const activation = 1024 * 64 * 4;
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
    assert.ok(most >= activation && most < 4 * activation, `${most} bytes`);
    most = 0;
    net.call(x);
    assert.ok(most >= 50 * activation, 'a forward that is recorded holds all');
  });
  net.dispose();
});

test('the peak memory of a training loop is the same after many steps as after 100', () => {
  const net = new nn.Sequential(new nn.Linear(32, 64), new nn.ReLU(), new nn.Linear(64, 8));
  const adam = new optim.Adam(net.parameters(), { lr: 1e-3 });
  const peak = (): number => process.resourceUsage().maxRSS;
  const train = (steps: number): void => {
    for (let i = 0; i < steps; i++) {
      scope(() => {
        const loss = crossEntropyLoss(net.call(randn([16, 32])), randint(0, 8, [16]));
        adam.zeroGrad();
        loss.backward();
        adam.step();
      });
    }
  };
  train(100);
  const [peakBefore, before] = [peak(), memory()];
  train(1500);
  const [peakAfter, after] = [peak(), memory()];
  assert.ok(peakAfter <= 1.1 * peakBefore, `${peakBefore} kB after 100 steps, ${peakAfter} kB after 1600`);
  assert.deepEqual([after.liveTensors, after.liveBytes], [before.liveTensors, before.liveBytes]);
  net.dispose();
  adam.dispose();
});

test('a backward pass that libtorch moves to another thread refuses to call JavaScript there', () => {
  // Nested deeper than 60 passes libtorch goes on in a thread of its own.
  const nest = (depth: number): void =>
    scope(() => {
      const x = tensor([1], { requiresGrad: true });
      x.registerHook(() => {
        if (depth > 0) enableGrad(() => nest(depth - 1));
      });
      x.mul(2).backward();
    });
  nest(40);
  assert.throws(
    () => nest(80),
    (error) => error instanceof TorchError && error.code === 'thread' && /JavaScript/.test(error.message),
  );
  nest(1);
});

test('a worker may end while libtorch holds its functions and buffers', async () => {
  const program = `
    const { workerData, parentPort } = require('node:worker_threads');
    import(workerData).then((torch) => {
      const x = torch.ones([2], { requiresGrad: true });
      x.registerHook((gradient) => gradient.mul(3));
      globalThis.loss = x.mul(torch.fromBuffer(new Float32Array([5, 6]))).sum();
      globalThis.loss.backward(null, { retainGraph: true });
      parentPort.postMessage(x.grad.toArray());
      process.exit();
    });`;
  const worker = new Worker(program, { eval: true, workerData: new URL('./index.js', import.meta.url).href });
  const gradients: unknown[] = [];
  worker.on('message', (gradient) => gradients.push(gradient));
  const code = await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
  await setTimeout(1);
  assert.deepEqual([code, gradients], [0, [[15, 18]]]);
  scope(() => assert.equal(ones([2]).sum().item(), 2));
});
