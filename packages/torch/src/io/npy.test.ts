/** The files under golden/io were written by NumPy 2.4, see scripts/golden/io.py. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { type DType, loadNpy, loadNpz, saveNpy, scope, tensor, zeros } from '../index.js';
import { assertReadsOrRefuses, flipped, overwritten, truncated } from '../testing/damaged-files.js';
import { goldenPath } from '../testing/golden-files.js';

const folder = mkdtempSync(join(tmpdir(), 'npy-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'x.npy');

const golden = (name: string) => goldenPath(`io/${name}`);

function read(name: string) {
  const array = loadNpy(golden(`${name}.npy`));
  return { dtype: array.dtype, shape: [...array.shape], values: [...array.data()].map(Number) };
}

/** As numpy.linspace(-1, 1, 6) gives. */
const linspace = [-1, -0.6, -0.2, 0.2, 0.6, 1];

test('arrays of NumPy: types, byte orders, C and Fortran order, versions of the header', () => {
  scope(() => {
    const single = { dtype: 'float32', shape: [2, 3], values: linspace.map(Math.fround) };
    for (const name of ['f4', 'version2', 'version3']) {
      const array = read(name);
      assert.deepEqual({ ...array, values: [] }, { ...single, values: [] });
      array.values.forEach((value, i) => void assert.ok(Math.abs(value - linspace[i]!) < 1e-6));
    }
    const wide = read('f8_big');
    assert.equal(wide.dtype, 'float64');
    wide.values.forEach((value, i) => void assert.ok(Math.abs(value - linspace[i]!) < 1e-15));
    const counted = Array.from({ length: 24 }, (_, i) => i);
    assert.deepEqual(read('i8_fortran'), { dtype: 'int64', shape: [2, 3, 4], values: counted });
    assert.deepEqual(read('f2'), { dtype: 'float16', shape: [4], values: [0, 1, 2, 3] });
    assert.deepEqual(read('b1'), { dtype: 'bool', shape: [2], values: [1, 0] });
    assert.deepEqual(read('i1'), { dtype: 'int8', shape: [2], values: [-1, 5] });
    assert.deepEqual(read('scalar'), { dtype: 'float64', shape: [], values: [2.5] });
    assert.deepEqual(read('empty'), { dtype: 'float64', shape: [0, 3], values: [] });
  });
});

test('unsigned integers become the next wider signed type', () => {
  scope(() => {
    assert.deepEqual(read('u2'), { dtype: 'int32', shape: [3], values: [0, 1, 65535] });
    assert.deepEqual(read('u4_big'), { dtype: 'int64', shape: [2], values: [0, 2 ** 32 - 1] });
  });
});

test('types that no tensor has are refused by name', () => {
  for (const [name, type] of [
    ['text', /'<U2'/],
    ['records', /'\[\(a, <f4\), \(b, <i2\)\]'/],
    ['objects', /'\|O'/],
  ] as const) {
    assert.throws(() => loadNpy(golden(`${name}.npy`)), { code: 'io', message: type, hint: /astype/ });
  }
});

test('.npz: arrays by name, stored or compressed', () => {
  scope(() => {
    for (const name of ['stored', 'compressed']) {
      const arrays = loadNpz(golden(`${name}.npz`));
      assert.deepEqual([...arrays.keys()], ['weight', 'index']);
      assert.deepEqual([...arrays.get('weight')!.shape], [2, 3]);
      assert.deepEqual(
        [...arrays.get('index')!.data()].map(Number),
        Array.from({ length: 24 }, (_, i) => i),
      );
    }
  });
});

test('saved arrays have the bytes that NumPy writes', () => {
  scope(() => {
    for (const name of ['f4', 'i1', 'b1', 'f2', 'scalar', 'empty']) {
      saveNpy(path, loadNpy(golden(`${name}.npy`)));
      assert.deepEqual(readFileSync(path), readFileSync(golden(`${name}.npy`)), name);
    }
    assert.throws(() => saveNpy(path, zeros([1], { dtype: 'bfloat16' })), { code: 'argument', hint: /float32/ });
    assert.throws(() => saveNpy(join(folder, 'nowhere', 'x.npy'), zeros([1])), { code: 'io', message: /nowhere/ });
  });
});

test('property: what is saved is loaded, for every dtype and shape', () => {
  const dtypes = fc.constantFrom<DType>(
    'float32',
    'float64',
    'float16',
    'int64',
    'int32',
    'int16',
    'int8',
    'uint8',
    'bool',
  );
  const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 });
  fc.assert(
    fc.property(dtypes, shapes, (dtype, shape) => {
      scope(() => {
        const count = shape.reduce((product, size) => product * size, 1);
        const original = tensor(
          Float32Array.from({ length: count }, (_, i) => i % 100),
          { shape },
        ).to({ dtype });
        saveNpy(path, original);
        const loaded = loadNpy(path);
        assert.equal(loaded.dtype, dtype);
        assert.deepEqual(loaded.shape, original.shape);
        assert.deepEqual(loaded.data(), original.data());
      });
    }),
  );
});

test('malformed headers are refused', () => {
  const file = (text: string, version = 1) =>
    Buffer.concat([
      Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1'),
      Buffer.from([text.length, 0]),
      Buffer.from(text),
    ]);
  const refused: [Buffer, RegExp][] = [
    [Buffer.from('\x93NUM', 'latin1'), /only 4 bytes/],
    [Buffer.from('0123456789ab'), /does not begin/],
    [file('{}', 4), /version 4/],
    [file('{}'), /lacks descr/],
    [file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), "), /lacks descr/],
    [file("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }"), /too large/],
    [file("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,), }"), /truncated/],
    [file("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }"), /'<c8'/],
    [file("{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }"), /'<u8'/],
    [
      Buffer.concat([file("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }"), Buffer.from([1, 2])]),
      /after the array/,
    ],
  ];
  for (const [bytes, message] of refused) {
    writeFileSync(path, bytes);
    assert.throws(() => loadNpy(path), { code: 'io', message });
  }
});

for (const name of ['f4.npy', 'i8_fortran.npy', 'u4_big.npy', 'version3.npy']) {
  test(`property: ${name}, truncated or damaged, is refused or gives a readable tensor`, () => {
    const bytes = readFileSync(golden(name));
    fc.assert(
      fc.property(fc.oneof(truncated, flipped, overwritten), (damage) => {
        assertReadsOrRefuses(path, damage(bytes), loadNpy);
      }),
      { numRuns: 150 },
    );
  });
}

for (const name of ['stored.npz', 'compressed.npz']) {
  test(`property: ${name}, truncated or damaged, is refused or gives readable tensors`, () => {
    const bytes = readFileSync(golden(name));
    fc.assert(
      fc.property(fc.oneof(truncated, flipped, overwritten), (damage) => {
        assertReadsOrRefuses(path, damage(bytes), loadNpz);
      }),
      { numRuns: 150 },
    );
  });
}
