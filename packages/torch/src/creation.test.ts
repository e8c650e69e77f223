import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  arange,
  eye,
  fromFile,
  full,
  getRngState,
  linspace,
  manualSeed,
  rand,
  randint,
  randperm,
  scope,
  setRngState,
  TorchError,
  tensor,
  zeros,
  zerosLike,
} from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'torch-'));
after(() => rmSync(folder, { recursive: true }));

test('typed arrays keep their type, through a tensor and back', () => {
  const arrays = {
    float32: new Float32Array([1.5, -2]),
    float64: new Float64Array([0.1, 2]),
    int64: new BigInt64Array([2n ** 62n, -1n]),
    int32: new Int32Array([2 ** 31 - 1, -5]),
    int16: new Int16Array([-300, 300]),
    int8: new Int8Array([-128, 127]),
    uint8: new Uint8Array([0, 255]),
  };
  for (const [dtype, array] of Object.entries(arrays)) {
    scope(() => {
      const x = tensor(array);
      assert.equal(x.dtype, dtype);
      assert.deepEqual(x.data(), array);
    });
  }
});

test('a tensor is a copy of its data, and data() a copy of the tensor', () => {
  scope(() => {
    const source = new Float32Array([1, 2]);
    const x = tensor(source);
    source[0] = 9;
    const out = x.data();
    out[1] = 9;
    assert.deepEqual(x.toArray(), [1, 2]);
  });
});

test('a part of a buffer is read from its own offset', () => {
  scope(() => {
    const whole = new Float32Array([1, 2, 3, 4]);
    assert.deepEqual(tensor(whole.subarray(1, 3)).toArray(), [2, 3]);
  });
});

test('nested arrays, numbers, booleans and given dtypes', () => {
  scope(() => {
    const x = tensor([[[1], [2]]]);
    assert.deepEqual([x.shape, x.dtype, x.toArray()], [[1, 2, 1], 'float32', [[[1], [2]]]]);
    assert.deepEqual([tensor(3).shape, tensor(3).item()], [[], 3]);
    assert.equal(tensor([true, false]).dtype, 'bool');
    assert.deepEqual(tensor([]).shape, [0]);
    assert.deepEqual(tensor([[], []]).shape, [2, 0]);
    assert.equal(tensor([2 ** 40 + 1], { dtype: 'int64' }).item(), 2 ** 40 + 1);
    for (const dtype of ['float16', 'bfloat16'] as const) {
      const half = tensor([1.5, -2], { dtype });
      assert.deepEqual([half.dtype, half.data()], [dtype, new Float32Array([1.5, -2])]);
    }
  });
});

test('data() follows the shape, not the memory, of a transposed view', () => {
  scope(() => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]).transpose(0, 1);
    assert.equal(x.isContiguous, false);
    assert.deepEqual([...x.data()], [1, 3, 2, 4]);
    assert.deepEqual(x.strides, [1, 2]);
  });
});

test('ranges, fills and identities', () => {
  scope(() => {
    assert.deepEqual([arange(3).toArray(), arange(3).dtype], [[0, 1, 2], 'int64']);
    assert.deepEqual(arange(1, 2, { step: 0.5 }).toArray(), [1, 1.5]);
    assert.deepEqual(linspace(0, 1, 3).toArray(), [0, 0.5, 1]);
    assert.deepEqual([full([2], 7).toArray(), full([2], 7).dtype], [[7, 7], 'float32']);
    assert.deepEqual(eye(2, { columns: 3 }).toArray(), [
      [1, 0, 0],
      [0, 1, 0],
    ]);
    assert.equal(zeros([2], { requiresGrad: true }).requiresGrad, true);
  });
});

test('to() changes the dtype, rounds towards zero, and lets gradients through', () => {
  scope(() => {
    assert.deepEqual(tensor([1.9, -1.9]).to({ dtype: 'int32' }).toArray(), [1, -1]);
    const x = tensor([1], { requiresGrad: true });
    x.to({ dtype: 'float64' }).mul(3).sum().backward();
    assert.deepEqual([x.grad?.toArray(), x.grad?.dtype], [[3], 'float32']);
  });
});

test('memory formats: the strides change, the values do not, and operators keep them', () => {
  scope(() => {
    const x = arange(24, undefined, { dtype: 'float32' }).view([1, 2, 3, 4]);
    for (const last of [x.to({ memoryFormat: 'channelsLast' }), x.contiguous({ memoryFormat: 'channelsLast' })]) {
      assert.deepEqual([last.strides, last.isContiguous, last.toArray()], [[24, 1, 8, 2], false, x.toArray()]);
      assert.deepEqual(last.mul(2).strides, [24, 1, 8, 2]);
      assert.deepEqual(last.contiguous().strides, [24, 12, 4, 1]);
    }
    const video = zeros([2, 3, 4, 5, 6]).to({ dtype: 'float64', memoryFormat: 'channelsLast3d' });
    assert.deepEqual([video.strides, video.dtype], [[360, 1, 90, 18, 3], 'float64']);
    assert.deepEqual(zerosLike(video, { memoryFormat: 'contiguous' }).strides, [360, 120, 30, 6, 1]);
    assert.throws(() => x.to({ memoryFormat: 'channelsLast3d' }), TorchError);
    assert.throws(() => x.to({ memoryFormat: 'diagonal' as 'preserve' }), /unknown memory format/);
  });
});

test('the seed decides the random numbers, and their state can be put back', () => {
  scope(() => {
    manualSeed(7);
    const first = rand([4]).toArray();
    const state = getRngState();
    const second = [...randint(0, 100, [5]).data(), ...randperm(6).data()];
    manualSeed(7);
    assert.deepEqual(rand([4]).toArray(), first);
    setRngState(state);
    assert.deepEqual([...randint(0, 100, [5]).data(), ...randperm(6).data()], second);
  });
});

test('fromFile maps a part of a file, aligned or not, and does not write back', () => {
  const path = join(folder, 'values.bin');
  writeFileSync(path, Buffer.from(new Float32Array([1, 2, 3, 4]).buffer));
  scope(() => {
    const x = fromFile(path, { shape: [1, 2], dtype: 'float32', offsetBytes: 4 });
    assert.deepEqual(x.toArray(), [[2, 3]]);
    x.fill_(9);
    assert.deepEqual(fromFile(path, { shape: [4], dtype: 'float32' }).toArray(), [1, 2, 3, 4]);
    assert.deepEqual(fromFile(path, { shape: [3], offsetBytes: 13 }).toArray(), [0, 128, 64]);
    const shifted = join(folder, 'shifted.bin');
    writeFileSync(shifted, Buffer.concat([Buffer.from([7]), Buffer.from(new Float32Array([5]).buffer)]));
    assert.deepEqual(fromFile(shifted, { shape: [1], dtype: 'float32', offsetBytes: 1 }).toArray(), [5]);
    assert.deepEqual(fromFile(path, { shape: [0, 3] }).shape, [0, 3]);
  });
});

test('fromFile refuses a file that is missing or too short', () => {
  const path = join(folder, 'short.bin');
  writeFileSync(path, new Uint8Array(7));
  const isIo = (error: unknown): boolean => error instanceof TorchError && error.code === 'io';
  assert.throws(() => fromFile(path, { shape: [2], dtype: 'float32' }), isIo);
  assert.throws(() => fromFile(path, { shape: [1], offsetBytes: 7 }), isIo);
  assert.throws(() => fromFile(join(folder, 'none'), { shape: [1] }), isIo);
  assert.throws(() => fromFile(path, { shape: [1], offsetBytes: -1 }), TorchError);
});
