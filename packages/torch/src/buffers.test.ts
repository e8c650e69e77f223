import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { countHeld } from './callbacks.js';
import {
  arange,
  type DType,
  fromBuffer,
  memory,
  ones,
  scope,
  type Tensor,
  TorchError,
  tensor,
  zeros,
} from './index.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const isArgument =
  (message: RegExp) =>
  (error: unknown): boolean =>
    error instanceof TorchError && error.code === 'argument' && message.test(error.message);

test('fromBuffer shares the memory both ways, from the offset of the array', () => {
  scope(() => {
    const whole = new Float32Array([1, 2, 3, 4, 5]);
    const before = memory().liveBytes;
    const x = fromBuffer(whole.subarray(1), { shape: [2, 2] });
    assert.equal(memory().liveBytes, before, 'no memory of libtorch');
    whole[1] = 20;
    x.at(1, 1).fill_(-5);
    assert.deepEqual(x.toArray(), [
      [20, 3],
      [4, -5],
    ]);
    assert.deepEqual([...whole], [1, 20, 3, 4, -5]);
  });
});

test('every typed array has its dtype; bytes can be read as any', () => {
  scope(() => {
    const natural: [NodeJS.TypedArray, DType][] = [
      [new Float32Array(2), 'float32'],
      [new Float64Array(2), 'float64'],
      [new BigInt64Array(2), 'int64'],
      [new Int32Array(2), 'int32'],
      [new Int16Array(2), 'int16'],
      [new Int8Array(2), 'int8'],
      [new Uint8Array(2), 'uint8'],
      [Buffer.alloc(2), 'uint8'],
    ];
    for (const [array, dtype] of natural) assert.equal(fromBuffer(array).dtype, dtype);
    // 1.5 in the 16-bit formats.
    assert.deepEqual(fromBuffer(Uint16Array.of(0x3e00), { dtype: 'float16' }).toArray(), [1.5]);
    assert.deepEqual(fromBuffer(Uint16Array.of(0x3fc0), { dtype: 'bfloat16' }).toArray(), [1.5]);
    assert.deepEqual(fromBuffer(Uint8Array.of(1, 0), { dtype: 'bool' }).toArray(), [1, 0]);
    assert.deepEqual(fromBuffer(new Uint8Array(new Float32Array([7]).buffer), { dtype: 'float32' }).toArray(), [7]);
  });
});

test('the buffer lives as long as a tensor in its memory, and no longer', async () => {
  const held = countHeld();
  let freed = 0;
  const registry = new FinalizationRegistry(() => {
    freed += 1;
  });
  const view = scope(() => {
    const array = new Float32Array(100_000).fill(3);
    registry.register(array.buffer, 0);
    return fromBuffer(array).narrow(0, 5, 10);
  });
  for (let i = 0; i < 5; i++) {
    collect();
    new Float32Array(100_000).fill(9);
    await setTimeout(5);
  }
  assert.equal(freed, 0);
  assert.equal(countHeld(), held + 1);
  assert.deepEqual(view.toArray(), new Array(10).fill(3));
  view.dispose();
  assert.equal(countHeld(), held);
  for (let i = 0; i < 50 && freed === 0; i++) {
    collect();
    await setTimeout(5);
  }
  assert.equal(freed, 1);
});

test('whenFree is called once, when the last view and the last graph are gone', () => {
  let calls = 0;
  const weight = ones([2], { requiresGrad: true });
  const x = fromBuffer(new Float32Array([3, 4]), { whenFree: () => calls++ });
  const view = x.narrow(0, 0, 2);
  const loss = weight.mul(view).sum();
  x.dispose();
  view.dispose();
  assert.equal(calls, 0, 'the graph needs it for the gradient');
  loss.backward();
  assert.deepEqual(weight.grad!.toArray(), [3, 4]);
  loss.dispose();
  // What libtorch frees by itself is noticed at the next release.
  zeros([1]).dispose();
  assert.equal(calls, 1);
  weight.dispose();
});

test('a buffer with a tensor in it cannot be transferred away', async () => {
  const array = new Float32Array([1, 2]);
  const x = fromBuffer(array);
  const { port1, port2 } = new MessageChannel();
  // Node 20 sends a copy instead, later versions throw.
  const transfers: (() => unknown)[] = [
    () => port1.postMessage(array, [array.buffer]),
    () => structuredClone(array, { transfer: [array.buffer] }),
    () => (array.buffer as unknown as { transfer(): void }).transfer(),
  ];
  for (const transfer of transfers) {
    try {
      transfer();
    } catch {}
    assert.equal(array.length, 2);
  }
  port1.close();
  port2.close();
  assert.deepEqual(x.toArray(), [1, 2]);
  x.dispose();
});

test('a SharedArrayBuffer joins a tensor with another thread', async () => {
  const array = new Float32Array(new SharedArrayBuffer(8));
  const x = fromBuffer(array);
  const worker = new Worker('const { workerData } = require("worker_threads"); workerData[1] = 6;', {
    eval: true,
    workerData: array,
  });
  await new Promise((resolve) => worker.on('exit', resolve));
  assert.deepEqual(x.toArray(), [0, 6]);
  x.dispose();
});

test('fromBuffer refuses what does not fit', () => {
  scope(() => {
    const held = countHeld();
    assert.throws(() => fromBuffer(new Float32Array(3), { shape: [2] }), isArgument(/12 bytes do not fill \[2\]/));
    assert.throws(() => fromBuffer(new Uint16Array(3)), isArgument(/Uint16Array needs a dtype/));
    assert.throws(() => fromBuffer(new Uint8Array(3), { dtype: 'int16' }), isArgument(/3 bytes do not fill/));
    const odd = new Uint8Array(new ArrayBuffer(9), 1);
    assert.throws(() => fromBuffer(odd, { dtype: 'float32' }), isArgument(/begins at byte 1/));
    const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
    const resizable = new Uint8Array(new Resizable(8, { maxByteLength: 16 }));
    assert.throws(() => fromBuffer(resizable), isArgument(/resizable/));
    assert.deepEqual(fromBuffer(new Float32Array(0), { shape: [0, 3] }).shape, [0, 3]);
    assert.equal(countHeld(), held);
  });
});

test('sharedData shows the memory itself, in every dtype', () => {
  scope(() => {
    const x = tensor([1, 2]);
    const array = x.sharedData();
    array[0] = 9;
    x.at(1).fill_(8);
    assert.deepEqual(x.toArray(), [9, 8]);
    assert.deepEqual(array, new Float32Array([9, 8]));
    assert.deepEqual(x.at('1:').sharedData(), new Float32Array([8]));
    const expected: Partial<Record<DType, unknown>> = {
      float64: Float64Array.of(0, 1.5),
      int64: BigInt64Array.of(0n, 1n),
      int16: Int16Array.of(0, 1),
      int8: Int8Array.of(0, 1),
      bool: Uint8Array.of(0, 1),
      float16: Uint16Array.of(0, 0x3e00),
      bfloat16: Uint16Array.of(0, 0x3fc0),
    };
    for (const [dtype, values] of Object.entries(expected)) {
      assert.deepEqual(
        tensor([0, 1.5])
          .to({ dtype: dtype as DType })
          .sharedData(),
        values,
      );
    }
    assert.deepEqual(zeros([0]).sharedData(), new Float32Array(0));
  });
});

test('shared arrays outlive their tensor, and free the memory when they go', async () => {
  const before = memory().liveBytes;
  let arrays: unknown[] | undefined = scope(() => {
    const x = ones([100_000]);
    return [x.sharedData(), x.sharedData()];
  });
  for (let i = 0; i < 3; i++) zeros([100_000]).dispose();
  assert.equal((arrays[0] as Float32Array)[99_999], 1);
  assert.ok(memory().liveBytes >= 400_000);
  arrays = undefined;
  for (let i = 0; i < 100 && memory().liveBytes > before; i++) {
    collect();
    await setTimeout(5);
  }
  assert.ok(memory().liveBytes <= before);
});

test('sharedData refuses views with gaps, tensors with gradients, and disposed ones', () => {
  scope(() => {
    const x: Tensor = arange(6, undefined, { dtype: 'float32' }).view([2, 3]);
    assert.throws(() => x.transpose(0, 1).sharedData(), isArgument(/not contiguous/));
    assert.throws(() => x.requiresGrad_().sharedData(), isArgument(/requires a gradient/));
    assert.equal(x.detach().sharedData()[5], 5);
    x.dispose();
    assert.throws(() => x.sharedData(), TorchError);
  });
});
