import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { arange, loadSafetensors, memory, openSafetensors, saveSafetensors, scope, tensor } from '../index.js';

const folder = mkdtempSync(join(tmpdir(), 'safetensors-file-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'x.safetensors');
const indexPath = join(folder, 'model.safetensors.index.json');

const isIoError = (message: RegExp) => ({ name: 'TorchError', code: 'io', message });

/** A model in two files and their index, as Hugging Face writes it. */
function writeSharded(): void {
  scope(() => {
    const shard = (number: number) => join(folder, `model-0000${number}-of-00002.safetensors`);
    saveSafetensors(shard(1), { a: tensor([1]), b: tensor([2]), stale: tensor([9]) }, { metadata: { format: 'pt' } });
    saveSafetensors(shard(2), { c: tensor([[3, 4]]) });
  });
  writeIndex({
    a: 'model-00001-of-00002.safetensors',
    b: 'model-00001-of-00002.safetensors',
    c: 'model-00002-of-00002.safetensors',
  });
}

function writeIndex(weightMap: unknown): void {
  writeFileSync(indexPath, JSON.stringify({ metadata: { total_size: 16 }, weight_map: weightMap }, null, 2));
}

test('an open file tells shapes and types and gives single tensors, which outlive it', () => {
  scope(() => {
    saveSafetensors(path, { weight: arange(6).reshape([2, 3]), bias: tensor([1], { dtype: 'float16' }) });
    const file = openSafetensors(path);
    assert.deepEqual(file.keys().sort(), ['bias', 'weight']);
    assert.deepEqual(file.info('weight'), { shape: [2, 3], dtype: 'int64', type: 'I64' });
    assert.equal(file.has('bias'), true);
    assert.equal(file.has('other'), false);
    const weight = file.get('weight');
    file.dispose();
    assert.deepEqual(weight.toArray(), [
      [0, 1, 2],
      [3, 4, 5],
    ]);
    assert.throws(() => file.get('bias'), { code: 'disposed' });
    assert.throws(() => file.get('other'), { code: 'argument', message: /no tensor 'other'/, hint: /weight/ });
  });
});

test('an open file survives the scope it was opened in, and leaves no tensor behind when it is disposed', () => {
  scope(() => saveSafetensors(path, { x: tensor([1, 2]) }));
  const before = memory().liveTensors;
  const file = scope(() => openSafetensors(path));
  assert.deepEqual(
    scope(() => file.get('x').toArray()),
    [1, 2],
  );
  file.dispose();
  file.dispose();
  assert.equal(memory().liveTensors, before);
});

test('tensors of types that are not known here do not hinder taking the others', () => {
  const header = JSON.stringify({
    scale: { dtype: 'F8_E5M2', shape: [2], data_offsets: [0, 2] },
    packed: { dtype: 'F4', shape: [4], data_offsets: [2, 4] },
    x: { dtype: 'I16', shape: [1], data_offsets: [4, 6] },
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, Buffer.from(header), Buffer.from([0, 0, 0, 0, 7, 0])]));
  scope(() => {
    using file = openSafetensors(path);
    assert.deepEqual(file.info('scale'), { shape: [2], dtype: undefined, type: 'F8_E5M2' });
    assert.deepEqual(file.get('x').toArray(), [7]);
    assert.throws(() => file.get('scale'), isIoError(/F8_E5M2/));
  });
});

test('a sharded model is read by its index: its tensors from their files, and no others', () => {
  writeSharded();
  scope(() => {
    const { tensors, metadata } = loadSafetensors(indexPath);
    assert.deepEqual([...tensors.keys()], ['a', 'b', 'c']);
    assert.deepEqual(tensors.get('c')!.toArray(), [[3, 4]]);
    assert.deepEqual({ ...metadata }, { format: 'pt' });
    using file = openSafetensors(indexPath);
    assert.deepEqual(file.get('b').toArray(), [2]);
  });
});

test('a sharded model with a missing, damaged or wrong part is refused, naming it', () => {
  writeSharded();
  const before = memory().liveTensors;
  writeIndex({ a: 'model-00001-of-00002.safetensors', d: 'model-00002-of-00002.safetensors' });
  assert.throws(() => loadSafetensors(indexPath), isIoError(/index\.json.*model-00002.* lacks the tensor 'd'/));
  writeIndex({ a: 'model-00001-of-00002.safetensors', d: 'model-00003-of-00002.safetensors' });
  assert.throws(() => loadSafetensors(indexPath), isIoError(/'model-00003-of-00002.safetensors' is missing/));
  writeIndex({ c: 'model-00002-of-00002.safetensors' });
  truncateSync(join(folder, 'model-00002-of-00002.safetensors'), 20);
  assert.throws(() => loadSafetensors(indexPath), isIoError(/model-00002-of-00002.*truncated/));
  assert.equal(memory().liveTensors, before);
});

test('an index cannot lead out of its folder', () => {
  for (const shard of ['../x.safetensors', '/etc/passwd', 'a/b', 'a\\b', '..', '', 5, null]) {
    writeIndex({ a: shard });
    assert.throws(() => loadSafetensors(indexPath), isIoError(/no file beside it/));
  }
});

test('an index that is not JSON or has no weight_map is refused', () => {
  for (const text of ['{', '{}', '{"weight_map": []}', '{"weight_map": null}', '{"weight_map": 3}']) {
    writeFileSync(indexPath, text);
    assert.throws(() => loadSafetensors(indexPath), isIoError(/index/));
  }
});

test('property: a file whose length begins with a brace is still a safetensors file', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3 }), (extra) => {
      const start = '{"__metadata__":{"a":"';
      const headerBytes = '{'.charCodeAt(0) + 256 * extra;
      const header = `${start}${'x'.repeat(headerBytes - start.length - 3)}"}}`;
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      writeFileSync(path, Buffer.concat([length, Buffer.from(header)]));
      assert.equal(loadSafetensors(path).tensors.size, 0);
    }),
  );
});
