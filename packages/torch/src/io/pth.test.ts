/** The files under golden/io were written by PyTorch 1.13 and NumPy, see scripts/golden/io.py. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { isPythonObject, loadPth, type PthValue, scope, Tensor } from '../index.js';
import { assertReadsOrRefuses, flipped, overwritten, truncated } from '../testing/damaged-files.js';
import { goldenPath } from '../testing/golden-files.js';
import { writePieces } from './pieces.js';
import { ZipWriter } from './zip-writer.js';

const folder = mkdtempSync(join(tmpdir(), 'pth-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'x.pth');

const golden = (name: string) => goldenPath(`io/${name}`);

function entries(value: PthValue): Map<PthValue, PthValue> {
  assert.ok(value instanceof Map, 'a dictionary');
  return value;
}

function tensorAt(value: PthValue, key: string): Tensor {
  const found = entries(value).get(key);
  assert.ok(found instanceof Tensor, `a tensor at '${key}'`);
  return found;
}

for (const name of ['dtypes.pth', 'dtypes-legacy.pth']) {
  test(`${name}: every dtype, an empty tensor and a scalar`, () => {
    scope(() => {
      const { value, skipped } = loadPth(golden(name));
      for (const dtype of 'float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8'.split(' ')) {
        assert.equal(tensorAt(value, dtype).dtype, dtype);
        assert.deepEqual(tensorAt(value, dtype).toArray(), [
          [0, 1, 2],
          [3, 4, 5],
        ]);
      }
      assert.equal(tensorAt(value, 'bool').dtype, 'bool');
      assert.deepEqual(tensorAt(value, 'bool').toArray(), [1, 0, 1]);
      assert.deepEqual([...tensorAt(value, 'empty').shape], [0, 3]);
      assert.equal(tensorAt(value, 'scalar').item(), 2.5);
      assert.deepEqual(skipped, []);
    });
  });
}

for (const name of ['views.pth', 'views-legacy.pth', 'zip64.pth']) {
  test(`${name}: views keep offsets and strides, and what shared memory shares it`, () => {
    scope(() => {
      const { value, format } = loadPth(golden(name));
      assert.equal(format, name === 'views-legacy.pth' ? 'pth-legacy' : 'pth');
      assert.deepEqual(tensorAt(value, 'transposed').toArray(), [
        [0, 4, 8],
        [1, 5, 9],
        [2, 6, 10],
        [3, 7, 11],
      ]);
      assert.deepEqual([...tensorAt(value, 'transposed').strides], [1, 4]);
      assert.deepEqual(tensorAt(value, 'column').toArray(), [1, 5, 9]);
      assert.deepEqual(tensorAt(value, 'tail').toArray(), [7, 8, 9, 10, 11]);
      assert.deepEqual([...tensorAt(value, 'expanded').strides], [0, 0]);
      assert.deepEqual([...tensorAt(value, 'channels_last').strides], [24, 1, 8, 2]);
      assert.deepEqual(
        [...tensorAt(value, 'channels_last').data()],
        Array.from({ length: 24 }, (_, i) => i),
      );
      tensorAt(value, 'base').fill_(-1);
      for (const view of ['column', 'tail', 'same']) {
        assert.ok(
          [...tensorAt(value, view).data()].every((element) => element === -1),
          view,
        );
      }
      assert.equal(
        (tensorAt(loadPth(golden(name)).value, 'tail').toArray() as number[])[0],
        7,
        'the file is unchanged',
      );
    });
  });
}

for (const version of [2, 3, 4, 5, 'legacy']) {
  test(`checkpoint-${version}.pth, as training writes it: plain data, tensors, and a report of the rest`, () => {
    scope(() => {
      const { value, skipped } = loadPth(golden(`checkpoint-${version}.pth`));
      const at = (key: string) => entries(value).get(key)!;
      assert.deepEqual(['epoch', 'best', 'name', 'done', 'nothing', 'big', 'negative', 'dtype', 'device'].map(at), [
        7,
        0.5,
        'café',
        true,
        null,
        2n ** 70n,
        -(2 ** 40),
        'float16',
        'cpu',
      ]);
      assert.deepEqual(at('size'), [2, 3]);
      assert.deepEqual(at('tuple'), [1, [2, 'x']]);
      assert.deepEqual(at('set'), new Set([1, 2]));
      assert.deepEqual(at('bytes'), Uint8Array.of(0, 255));
      assert.deepEqual(at('counts'), new Map([['a', [1]]]));
      assert.deepEqual(tensorAt(value, 'parameter').toArray(), [1, 1]);
      assert.deepEqual(
        [...entries(at('state_dict')).keys()],
        ['0.weight', '0.bias', '1.weight', '1.bias', '1.running_mean', '1.running_var', '1.num_batches_tracked'],
      );
      const state = entries(entries(at('optimizer')).get('state')!);
      assert.deepEqual([...state.keys()], [0, 1, 2, 3]);
      assert.deepEqual([...tensorAt(state.get(0)!, 'exp_avg').shape], [3, 2]);
      const [group] = entries(at('optimizer')).get('param_groups') as PthValue[];
      assert.deepEqual(entries(group!).get('betas'), [0.9, 0.999]);

      const numpy = at('numpy');
      assert.deepEqual(
        ['scalar', 'integer', 'flag'].map((key) => entries(numpy).get(key)),
        [1.5, -3, true],
      );
      const counted = [
        [0, 1, 2],
        [3, 4, 5],
      ];
      assert.deepEqual(tensorAt(numpy, 'array').toArray(), counted);
      assert.deepEqual(tensorAt(numpy, 'fortran').toArray(), counted);
      assert.equal(tensorAt(numpy, 'fortran').dtype, 'int16');
      assert.deepEqual(tensorAt(numpy, 'big_endian').toArray(), [0, 1, 2]);

      assert.deepEqual(skipped, [
        { path: 'numpy.text', kind: 'numpy.ndarray of <U1' },
        { path: 'args', kind: 'argparse.Namespace' },
        { path: 'complex', kind: 'torch.Tensor of torch.ComplexFloatStorage' },
        { path: 'path', kind: 'pathlib.PosixPath' },
        { path: 'scaler[0]', kind: 'torch.cuda.amp.grad_scaler.GradScaler' },
      ]);
      const args = at('args');
      assert.ok(isPythonObject(args));
      assert.deepEqual(
        args.state,
        new Map<string, unknown>([
          ['lr', 0.1],
          ['layers', [1, 2]],
        ]),
      );
    });
  });
}

test('reading a checkpoint leaves no tensors but those it returns', () => {
  scope(() => {
    const count = (value: PthValue): number => {
      if (value instanceof Tensor) return 1;
      const items = value instanceof Map ? [...value.values()] : Array.isArray(value) ? value : [];
      return items.reduce((sum: number, item) => sum + count(item), 0);
    };
    const value = scope(() => loadPth(golden('checkpoint-4.pth')).value);
    assert.equal(count(value), 7 + 4 * 3 + 1 + 3);
    assert.ok([...entries(entries(value).get('state_dict')!).values()].every((tensor) => !(tensor as Tensor).disposed));
  });
});

const isIoError = (message: RegExp, hint = /./) => ({ name: 'TorchError', code: 'io', message, hint });

function assertRefused(bytes: Buffer, reason: RegExp): void {
  writeFileSync(path, bytes);
  assert.throws(() => loadPth(path), isIoError(reason));
}

/** The bytes of a golden file with all occurrences of a text replaced by one of the same length. */
function replaced(name: string, text: string, by: string): Buffer {
  assert.equal(text.length, by.length);
  const bytes = readFileSync(golden(name), 'latin1');
  assert.ok(bytes.includes(text));
  return Buffer.from(bytes.replaceAll(text, by), 'latin1');
}

test('refuses files that are no checkpoints, saying what they are', () => {
  assertRefused(Buffer.alloc(0), /truncated/);
  assertRefused(Buffer.from('hello'), /no directory of entries/);
  assertRefused(readFileSync(golden('stored.npz')), /no data\.pkl/);
  assertRefused(Buffer.from([0x80, 2, 0x4b, 1, 0x2e]), /not one of torch\.save's/);
  const tar = Buffer.alloc(512);
  tar.write('ustar', 257);
  assertRefused(tar, /tar archive/);
  assert.throws(() => loadPth(join(folder, 'none.pth')), isIoError(/none\.pth/));
  assert.throws(() => loadPth(folder), isIoError(/could not be read/));
});

/** An archive of the given entries. */
function archive(contents: Record<string, string>): Buffer {
  const writer = new ZipWriter();
  const entries = Object.entries(contents).flatMap(([name, text]) => {
    const bytes = Buffer.from(text, 'latin1');
    return [...writer.add(name, bytes.length, [bytes])];
  });
  writePieces(path, 'zip', [...entries, ...writer.finish()]);
  return readFileSync(path);
}

test('refuses files of big-endian machines', () => {
  assertRefused(replaced('views-legacy.pth', 'little_endianq\x02\x88', 'little_endianq\x02\x89'), /big-endian/);
  assertRefused(archive({ 'x/data.pkl': '\x80\x02N.', 'x/byteorder': 'big' }), /byte order is 'big'/);
});

/** The pickle of a float32 tensor on the storage '0' of `count` elements. */
function tensorPickle({ count = '\x04', offset = '\0', size = '\x04', stride = '\x01' }): string {
  const id = `(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK${count}tQ`;
  return `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(${id}K${offset}K${size}\x85K${stride}\x85\x89}tR.`;
}

const four = '\0\0\x80\x3f'.repeat(4);

test('refuses tensors that reach beyond their storage, and storages that are not there', () => {
  const file = (pickle: string, storage = four) => archive({ 'x/data.pkl': pickle, 'x/data/0': storage });
  writeFileSync(path, file(tensorPickle({})));
  assert.deepEqual(
    scope(() => (loadPth(path).value as Tensor).toArray()),
    [1, 1, 1, 1],
  );
  assertRefused(file(tensorPickle({ offset: '\x01' })), /beyond its storage '0'/);
  assertRefused(file(tensorPickle({ size: '\x05' })), /beyond its storage/);
  assertRefused(file(tensorPickle({ stride: '\x02' })), /beyond its storage/);
  assertRefused(file(tensorPickle({ count: '\x05' })), /should have 20 bytes and has 16/);
  assertRefused(archive({ 'x/data.pkl': tensorPickle({}) }), /lacks the storage '0'/);
});

test('refuses an archive whose pickle differs from its checksum', () => {
  assertRefused(replaced('views.pth', 'transposed', 'transposeD'), /its checksum differs/);
});

test('refuses an archive with two entries of one name', () => {
  assertRefused(replaced('views.pth', 'views/data/1', 'views/data/0'), /two entries named 'views\/data\/0'/);
});

test('refuses storages of another size than the pickle says', () => {
  const cut = replaced('views-legacy.pth', '\x0c\0\0\0\0\0\0\0', '\x0d\0\0\0\0\0\0\0');
  assertRefused(cut, /should have 12 elements and has 13/);
});

for (const name of ['checkpoint-4.pth', 'views-legacy.pth', 'dtypes-legacy.pth', 'torchscript.pt', 'zip64.pth']) {
  test(`property: ${name}, truncated or damaged, is refused or gives readable tensors`, () => {
    const bytes = readFileSync(golden(name));
    const read = (damaged: string) => loadPth(damaged).value;
    fc.assert(
      fc.property(fc.oneof(truncated, flipped, overwritten), (damage) => {
        assertReadsOrRefuses(path, damage(bytes), read);
      }),
      { numRuns: 150 },
    );
  });
}
