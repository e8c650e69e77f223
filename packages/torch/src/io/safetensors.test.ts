import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { type DType, loadSafetensors, saveSafetensors, scope, TorchError, tensor, zeros } from '../index.js';
import { assertReadsOrRefuses, flipped, overwritten, truncated } from '../testing/damaged-files.js';
import { writeAtomically } from './atomic-write.js';

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'x.safetensors');

/** A file of a header (an object, or its text) and data. */
function writeFile(header: unknown, data: Uint8Array = new Uint8Array()): void {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, data]));
}

function assertRefused(reason: RegExp): void {
  assert.throws(
    () => scope(() => loadSafetensors(path)),
    (error) =>
      error instanceof TorchError && error.code === 'io' && error.message.includes(path) && reason.test(error.message),
  );
}

test('reads the bytes of the format as published: length, JSON header, little-endian data', () => {
  const data = Buffer.alloc(12);
  data.writeFloatLE(1.5, 0);
  data.writeFloatLE(-2, 4);
  data.writeInt16LE(-3, 8);
  data.set([1, 0], 10);
  writeFile(
    {
      __metadata__: { format: 'pt' },
      b: { dtype: 'I16', shape: [1], data_offsets: [8, 10] },
      'a.weight': { dtype: 'F32', shape: [2, 1], data_offsets: [0, 8] },
      c: { dtype: 'BOOL', shape: [2], data_offsets: [10, 12] },
      empty: { dtype: 'F64', shape: [0, 3], data_offsets: [12, 12] },
    },
    data,
  );
  scope(() => {
    const { tensors, metadata } = loadSafetensors(path);
    assert.deepEqual(metadata, { format: 'pt' });
    assert.deepEqual(tensors.get('a.weight')!.toArray(), [[1.5], [-2]]);
    assert.deepEqual(tensors.get('b')!.toArray(), [-3]);
    assert.deepEqual([...tensors.get('c')!.data()].map(Number), [1, 0]);
    assert.deepEqual([...tensors.get('empty')!.shape], [0, 3]);
  });
});

test('writes a header padded to 8 bytes and wide elements first, so that every tensor is aligned', () => {
  scope(() =>
    saveSafetensors(path, { small: tensor([1, 2, 3], { dtype: 'uint8' }), wide: tensor([4], { dtype: 'int64' }) }),
  );
  const bytes = readFileSync(path);
  const headerBytes = Number(bytes.readBigUInt64LE());
  assert.equal(headerBytes % 8, 0);
  assert.deepEqual(JSON.parse(bytes.subarray(8, 8 + headerBytes).toString()), {
    wide: { dtype: 'I64', shape: [1], data_offsets: [0, 8] },
    small: { dtype: 'U8', shape: [3], data_offsets: [8, 11] },
  });
  assert.deepEqual([...bytes.subarray(8 + headerBytes)], [4, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
});

test('a loaded tensor can be written to without changing the file', () => {
  scope(() => {
    saveSafetensors(path, { x: tensor([1, 2]) });
    const { tensors } = loadSafetensors(path);
    tensors.get('x')!.fill_(9);
    assert.deepEqual(loadSafetensors(path).tensors.get('x')!.toArray(), [1, 2]);
  });
});

test('a write that fails half-way leaves the old file as it was and no temporary file', () => {
  writeFileSync(path, 'old');
  const fail = (file: number) => {
    writeSync(file, 'half');
    throw new Error('disk full');
  };
  assert.throws(() => writeAtomically(path, fail), /disk full/);
  assert.equal(readFileSync(path, 'utf8'), 'old');
  assert.deepEqual(readdirSync(folder), ['x.safetensors']);
});

test('saving to the path of a folder is an io error and leaves no temporary file', () => {
  const target = join(folder, 'taken');
  mkdirSync(join(target, 'inside'), { recursive: true });
  scope(() => assert.throws(() => saveSafetensors(target, { x: tensor([1]) }), { code: 'io' }));
  rmSync(target, { recursive: true });
  assert.deepEqual(readdirSync(folder), ['x.safetensors']);
});

test("a tensor cannot have the header's reserved name", () => {
  scope(() => assert.throws(() => saveSafetensors(path, { __metadata__: tensor([1]) }), { code: 'argument' }));
});

test('writing into a folder that does not exist is an io error that names the path', () => {
  const missing = join(folder, 'nowhere', 'x.safetensors');
  scope(() => assert.throws(() => saveSafetensors(missing, { x: tensor([1]) }), { code: 'io', message: /nowhere/ }));
});

const one = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
const refused: Record<string, { header: unknown; bytes?: number; reason: RegExp }> = {
  'bad JSON': { header: '{"x": }', reason: /not valid JSON/ },
  'a list': { header: '[]', reason: /does not start with/ },
  'a duplicate key': {
    header: `{"x":${JSON.stringify(one)},"\\u0078":${JSON.stringify(one)}}`,
    bytes: 4,
    reason: /'x' appears twice/,
  },
  'a duplicate key inside an entry': { header: '{"x":{"dtype":"F32","dtype":"F32"}}', reason: /'dtype' appears twice/ },
  'a duplicate key before much space': {
    header: `{"x":${JSON.stringify(one)},"x"${' '.repeat(50)}:${JSON.stringify(one)}}`,
    bytes: 4,
    reason: /'x' appears twice/,
  },
  'nesting that only costs time': { header: `{"x":${'['.repeat(1_000_000)}`, reason: /nested too deep/ },
  'an unknown dtype': { header: { x: { ...one, dtype: 'F12' } }, bytes: 4, reason: /unknown dtype "F12"/ },
  'a dtype that no tensor has': {
    header: { x: { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 4] } },
    bytes: 4,
    reason: /'x' .* is of type F8_E4M3/,
  },
  'a float8 tensor of the wrong size': {
    header: { x: { dtype: 'F8_E4M3', shape: [1], data_offsets: [0, 4] } },
    bytes: 4,
    reason: /does not fill its 4 bytes/,
  },
  'a negative size': { header: { x: { ...one, shape: [-1] } }, bytes: 4, reason: /shape of 'x'/ },
  'a shape that does not fit': { header: { x: { ...one, shape: [2] } }, bytes: 4, reason: /does not fill its 4 bytes/ },
  'a shape that overflows': { header: { x: { ...one, shape: [2 ** 40, 2 ** 40] } }, bytes: 4, reason: /too large/ },
  'an empty shape that overflows': {
    header: { x: { ...one, shape: [2 ** 40, 2 ** 40, 0], data_offsets: [0, 0] } },
    reason: /too large/,
  },
  'offsets the wrong way round': { header: { x: { ...one, data_offsets: [4, 0] } }, bytes: 4, reason: /data_offsets/ },
  'a missing entry field': { header: { x: { dtype: 'F32', shape: [1] } }, bytes: 4, reason: /data_offsets/ },
  'an overlap': {
    header: { x: { ...one, shape: [2], data_offsets: [0, 8] }, y: { ...one, data_offsets: [4, 8] } },
    bytes: 8,
    reason: /'y' overlaps/,
  },
  'a hole': { header: { x: one, y: { ...one, data_offsets: [8, 12] } }, bytes: 12, reason: /hole before/ },
  'data after the last tensor': { header: { x: one }, bytes: 5, reason: /belong to no tensor/ },
  'truncated data': { header: { x: one }, bytes: 3, reason: /truncated/ },
  'metadata that is no string': { header: { __metadata__: { x: 1 } }, reason: /not a string/ },
};
for (const [what, { header, bytes = 0, reason }] of Object.entries(refused)) {
  test(`refuses ${what}`, () => {
    writeFile(header, new Uint8Array(bytes));
    assertRefused(reason);
  });
}

test('refuses a header length beyond the limit or the file, and a file shorter than a length', () => {
  writeFileSync(path, Buffer.alloc(16, 0xff));
  assertRefused(/too large/);
  writeFileSync(path, Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 0x7b]));
  assertRefused(/truncated/);
  writeFileSync(path, Buffer.from([1, 2]));
  assertRefused(/only 2 bytes/);
});

test('refuses a header that is not UTF-8', () => {
  writeFileSync(path, Buffer.from([7, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from('{"'), 0xff, ...Buffer.from('":1}')]));
  assertRefused(/not valid JSON/);
});

test('refuses a file that does not exist', () => {
  assert.throws(() => loadSafetensors(join(folder, 'none')), { code: 'io', message: /none/ });
});

const dtypes: DType[] = [
  'float64',
  'float32',
  'float16',
  'bfloat16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'bool',
];
const anyTensor = fc.record({
  dtype: fc.constantFrom(...dtypes),
  shape: fc.array(fc.nat({ max: 3 }), { maxLength: 3 }),
  start: fc.nat({ max: 1 }),
});
const anyFile = fc.record({
  tensors: fc.dictionary(
    fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__'),
    anyTensor,
    { maxKeys: 4 },
  ),
  metadata: fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }),
});
type AnyFile = typeof anyFile extends fc.Arbitrary<infer T> ? T : never;

function save({ tensors, metadata }: AnyFile): void {
  const made = Object.entries(tensors).map(([name, { dtype, shape, start }]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length: count }, (_, index) => (index + start) % 100);
    return [name, tensor(values, { shape }).to({ dtype })] as const;
  });
  saveSafetensors(path, new Map(made), { metadata });
}

test('property: what is saved is loaded, for every dtype and shape', () => {
  fc.assert(
    fc.property(anyFile, (file) => {
      scope(() => {
        save(file);
        const { tensors, metadata } = loadSafetensors(path);
        assert.deepEqual({ ...metadata }, { ...file.metadata });
        assert.deepEqual([...tensors.keys()].sort(), Object.keys(file.tensors).sort());
        for (const [name, { dtype, shape, start }] of Object.entries(file.tensors)) {
          const loaded = tensors.get(name)!;
          assert.equal(loaded.dtype, dtype);
          assert.deepEqual([...loaded.shape], shape);
          const values = [...loaded.to({ dtype: 'float64' }).data()].map(Number);
          const expected = values.map((_, index) => (dtype === 'bool' ? Number(index + start > 0) : index + start));
          assert.deepEqual(values, expected);
        }
      });
    }),
    { numRuns: 60 },
  );
});

test('property: a truncated file is refused', () => {
  fc.assert(
    fc.property(anyFile, truncated, (file, damage) => {
      scope(() => save(file));
      writeFileSync(path, damage(readFileSync(path)));
      assertRefused(/./);
    }),
    { numRuns: 60 },
  );
});

test('property: a file with flipped bits or extreme bytes is refused or gives readable tensors', () => {
  fc.assert(
    fc.property(anyFile, fc.oneof(flipped, overwritten), (file, damage) => {
      scope(() => save(file));
      assertReadsOrRefuses(path, damage(readFileSync(path)), (damaged) => loadSafetensors(damaged).tensors);
    }),
    { numRuns: 150 },
  );
});

test('tensors on views and without elements are saved as their values', () => {
  scope(() => {
    const matrix = tensor([
      [1, 2],
      [3, 4],
    ]);
    saveSafetensors(path, { transposed: matrix.transpose(0, 1), none: zeros([0]), scalar: tensor(7) });
    const { tensors } = loadSafetensors(path);
    assert.deepEqual(tensors.get('transposed')!.toArray(), [
      [1, 3],
      [2, 4],
    ]);
    assert.deepEqual([...tensors.get('none')!.shape], [0]);
    assert.equal(tensors.get('scalar')!.item(), 7);
  });
});

test('a file can be replaced by what was loaded from it, changed, while its tensors are in use', () => {
  scope(() => {
    saveSafetensors(path, { x: tensor([1, 2]), y: tensor([3, 4]) });
    const { tensors } = loadSafetensors(path);
    tensors.get('x')!.mul_(10);
    saveSafetensors(path, tensors);
    assert.deepEqual(tensors.get('y')!.toArray(), [3, 4]);
    assert.deepEqual(loadSafetensors(path).tensors.get('x')!.toArray(), [10, 20]);
  });
});
