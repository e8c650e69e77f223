/**
 * That PyTorch reads these files was verified by hand with PyTorch 1.13 (torch.load, also with weights_only=True, where
 * that version refuses floats even in its own files) and with `zipfile.ZipFile.testzip`.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { type DType, loadPth, type PthSavable, savePth, scope, type Tensor, tensor, zeros } from '../index.js';
import { withFile } from './binary-file.js';
import { writePieces } from './pieces.js';
import { ZipArchive } from './zip-archive.js';
import { ZipWriter } from './zip-writer.js';

const folder = mkdtempSync(join(tmpdir(), 'pth-writer-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'x.pth');

function load(): Map<unknown, unknown> {
  const { value, skipped, format } = loadPth(path);
  assert.ok(value instanceof Map);
  assert.deepEqual(skipped, []);
  assert.equal(format, 'pth');
  return value;
}

const tensorSpec = fc.record({
  dtype: fc.constantFrom<DType>(
    'float32',
    'float64',
    'float16',
    'bfloat16',
    'int64',
    'int32',
    'int16',
    'int8',
    'uint8',
  ),
  shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
});

test('property: tensors of every dtype and shape come back', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), tensorSpec, { maxKeys: 4 }), (specs) => {
      scope(() => {
        const made = new Map(
          Object.entries(specs).map(([name, { dtype, shape }]) => {
            const count = shape.reduce((product, size) => product * size, 1);
            const values = Float32Array.from({ length: count }, (_, i) => i % 100);
            return [name, tensor(values, { shape }).to({ dtype })] as const;
          }),
        );
        savePth(path, made);
        const loaded = load();
        assert.deepEqual([...loaded.keys()], [...made.keys()]);
        for (const [name, original] of made) {
          const copy = loaded.get(name) as Tensor;
          assert.equal(copy.dtype, original.dtype);
          assert.deepEqual(copy.shape, original.shape);
          assert.deepEqual(copy.data(), original.data());
        }
      });
    }),
    { numRuns: 60 },
  );
});

test('plain data comes back: Maps and objects as dictionaries, arrays as lists', () => {
  scope(() => {
    const values = { epoch: 3, lr: 0.1, negative: -5_000_000_000, huge: 2n ** 70n, name: 'é', none: null, ok: true };
    savePth(path, { ...values, list: [1, [2, 'a']], state: new Map([[0, 'x']]), infinite: Number.POSITIVE_INFINITY });
    const loaded = load();
    assert.deepEqual(
      loaded,
      new Map<string, unknown>([
        ...Object.entries(values),
        ['list', [1, [2, 'a']]],
        ['state', new Map([[0, 'x']])],
        ['infinite', Number.POSITIVE_INFINITY],
      ]),
    );
  });
});

test('views are saved as their values; a tensor that occurs twice shares its memory again', () => {
  scope(() => {
    const weight = tensor([
      [1, 2],
      [3, 4],
    ]);
    savePth(path, { weight, tied: weight, transposed: weight.transpose(0, 1), empty: zeros([0, 2]) });
    const loaded = load() as Map<string, Tensor>;
    assert.deepEqual(loaded.get('transposed')!.toArray(), [
      [1, 3],
      [2, 4],
    ]);
    loaded.get('weight')!.fill_(7);
    assert.equal(loaded.get('tied')!.sum().item(), 28);
    assert.equal(loaded.get('transposed')!.sum().item(), 10);
  });
});

test('the archive is laid out as PyTorch lays it out: its names, stored, aligned to 64 bytes', () => {
  scope(() => savePth(path, { a: tensor([1, 2, 3]), b: tensor([1], { dtype: 'int8' }) }));
  withFile(path, 'zip', (file) => {
    const archive = new ZipArchive(file);
    assert.deepEqual(
      [...archive.entries.keys()],
      ['data.pkl', 'byteorder', 'data/0', 'data/1', 'version'].map((name) => `archive/${name}`),
    );
    for (const entry of archive.entries.values()) {
      assert.ok(entry.stored);
      assert.equal(archive.position(entry) % 64, 0);
    }
  });
});

test('what a checkpoint cannot hold is refused with its place, and leaves no file', () => {
  const target = join(folder, 'refused.pth');
  const unknown = new Date() as unknown as PthSavable;
  assert.throws(() => savePth(target, { a: [1, { when: unknown }] }), {
    code: 'argument',
    message: /'a\.1\.when' is a Date/,
  });
  const circular: PthSavable[] = [];
  circular.push(circular);
  assert.throws(() => savePth(target, circular), { code: 'argument', message: /contains itself/ });
  assert.throws(() => savePth(join(folder, 'nowhere', 'x.pth'), {}), { code: 'io', message: /nowhere/ });
  assert.ok(!readdirSync(folder).includes('refused.pth'));
});

test('property: archives with zip64 fields hold what was put in', () => {
  const contents = fc.dictionary(fc.string({ minLength: 1 }), fc.uint8Array({ maxLength: 200 }), { maxKeys: 6 });
  fc.assert(
    fc.property(contents, fc.constantFrom(1, 100, 2 ** 32 - 1), (entries, wideFrom) => {
      const zipPath = join(folder, 'x.zip');
      const writer = new ZipWriter({ wideFrom });
      const pieces = Object.entries(entries).flatMap(([name, bytes]) => {
        const half = bytes.length >> 1;
        return [...writer.add(name, bytes.length, [bytes.subarray(0, half), bytes.subarray(half)])];
      });
      writePieces(zipPath, 'zip', [...pieces, ...writer.finish()]);
      withFile(zipPath, 'zip', (file) => {
        const archive = new ZipArchive(file);
        assert.deepEqual([...archive.entries.keys()], Object.keys(entries));
        for (const [name, entry] of archive.entries) {
          assert.deepEqual(Uint8Array.from(archive.read(entry)), Uint8Array.from(entries[name]!));
        }
      });
      assert.ok(readFileSync(zipPath).length > 0);
    }),
    { numRuns: 60 },
  );
});
