import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader } from './byte-reader.js';
import { FormatError } from './format-error.js';
import { PickleWriter } from './pickle-writer.js';
import { toPthValue } from './pth-value.js';
import { TorchHost } from './torch-pickle.js';
import { unpickle } from './unpickle.js';

const host = new TorchHost(() => {
  throw new FormatError('there are no storages');
}, 0);

/** Reads a pickle written as text: code points stand for bytes. */
function read(text: string): unknown {
  return unpickle(ByteReader.ofBytes(Buffer.from(text, 'latin1')), host);
}

function assertRefused(text: string, reason: RegExp): void {
  assert.throws(
    () => read(text),
    (error) => error instanceof FormatError && reason.test(error.message),
  );
}

test('a pickle that would run code when Python reads it becomes inert data that names it', () => {
  // What pickletools shows for an object whose __reduce__ returns (os.system, ('echo',)).
  const { value, skipped } = toPthValue(read('\x80\x02cposix\nsystem\nX\x04\0\0\0echo\x85R.'));
  assert.deepEqual(value, { className: 'posix.system', args: ['echo'] });
  assert.deepEqual(skipped, [{ path: '', kind: 'posix.system' }]);
  for (const name of [
    'builtins\neval',
    '__builtin__\nexec',
    'torch\nload',
    'torch.hub\nload',
    'constructor\n__proto__',
  ]) {
    assert.deepEqual(read(`\x80\x02c${name}\nX\x01\0\0\0x\x85R.`), { className: name.replace('\n', '.'), args: ['x'] });
  }
});

test('names of JavaScript objects are keys like any other', () => {
  const value = read('\x80\x02}(X\x09\0\0\0__proto__K\x01X\x0b\0\0\0constructorK\x02u.');
  assert.deepEqual(
    value,
    new Map([
      ['__proto__', 1],
      ['constructor', 2],
    ]),
  );
});

test('integers of every width, floats, and Python 2 strings', () => {
  assert.deepEqual(
    read(
      '\x80\x02(K\xffM\x34\x12J\xff\xff\xff\xff\x8a\0\x8a\x01\xff\x8a\x09\0\0\0\0\0\0\0\0\x01G?\xf8\0\0\0\0\0\0U\x02a\xe9t.',
    ),
    [255, 0x1234, -1, 0, -1, 2n ** 64n, 1.5, 'a\xe9'],
  );
});

test('a container that contains itself keeps its shape', () => {
  const { value } = toPthValue(read('\x80\x02]q\0h\0a.'));
  assert.ok(Array.isArray(value));
  assert.equal(value[0], value);
});

test('a few bytes that stand for a tree of exponential size stay small', () => {
  // Each list holds the one before twice.
  const doubling = Array.from(
    { length: 100 },
    (_, i) => `]q${String.fromCharCode(i + 1)}(h${String.fromCharCode(i)}h${String.fromCharCode(i)}e`,
  );
  const { value } = toPthValue(read(`\x80\x02]q\0${doubling.join('')}.`));
  assert.ok(Array.isArray(value) && value.length === 2);
});

test('refuses what is malformed', () => {
  assertRefused('', /ends at byte 0/);
  assertRefused('\x80\x02', /ends at byte 2/);
  assertRefused('\x80\x02.', /takes more values/);
  assertRefused('\x80\x02(.', /takes a mark/);
  assertRefused('\x80\x02t.', /lacks a mark/);
  assertRefused('\x80\x02h\x05.', /refers to the value 5/);
  assertRefused('\x80\x02K\x01K\x02a.', /appends to what is no list/);
  assertRefused('\x80\x02]K\x01K\x02s.', /no dictionary/);
  assertRefused('\x80\x02}(K\x01u.', /no dictionary/);
  assertRefused('\x80\x02K\x01)R.', /no class or function/);
  assertRefused('\x80\x02ca\nb\nK\x01R.', /no tuple/);
  assertRefused('\x80\x02X\x01\0\0\0\xff.', /not UTF-8/);
  assertRefused('\x80\x02K\x01Q.', /no storage/);
});

test('refuses other protocols and operations that no checkpoint needs', () => {
  assertRefused('\x80\x06N.', /protocol 6/);
  assertRefused('\x80\x01N.', /protocol 1/);
  assertRefused('(lp0\n.', /unknown operation 0x70/);
  assertRefused('\x80\x02\x82\x01.', /unknown operation 0x82/);
});

test('refuses lengths beyond the end before taking memory for them', () => {
  assertRefused('\x80\x02X\xff\xff\xff\xffab.', /4294967295 bytes are needed/);
  assertRefused('\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fab.', /beyond its end/);
  assertRefused('\x80\x04\x95\xff\0\0\0\0\0\0\0N.', /beyond its end/);
  assertRefused('\x80\x02\x8b\xff\xff\xff\x7f\x01.', /integer of 2147483647 bytes/);
});

test('refuses small pickles that ask for much memory or endless work', () => {
  const long = 'x'.repeat(100_000);
  const text = `X\xa0\x86\x01\0${long}q\0`;
  assertRefused(
    `\x80\x02(${text}${'c_codecs\nencode\nh\0\x85R'.repeat(20)}t.`,
    /more memory than a file of its size needs/,
  );
  assertRefused(`\x80\x02](${'N'.repeat(100_000)}eq\0${'cbuiltins\nset\nh\0\x85R'.repeat(20)}.`, /more memory/);
  assertRefused(`\x80\x02c${'a'.repeat(2000)}\nb\n.`, /line of more than/);
  // A call whose arguments are the call's own list.
  const self = 'ctorch._tensor\n_rebuild_from_type_v2\n';
  assert.equal(
    (read(`\x80\x02${self}]q\x01(${self}Nh\x01NeR.`) as { className: string }).className,
    'torch._tensor._rebuild_from_type_v2',
  );
});

test('refuses nesting that would exhaust the stack', () => {
  const raw = read(`\x80\x02${']'.repeat(100_000)}${'a'.repeat(99_999)}.`);
  assert.throws(() => toPthValue(raw), /nested more than/);
});

type Plain = null | boolean | number | bigint | string | Plain[] | Map<string, Plain>;

const { plain } = fc.letrec<{ plain: Plain }>((tie) => ({
  plain: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('plain')),
    fc.dictionary(fc.string(), tie('plain')).map((object) => new Map(Object.entries(object))),
  ),
}));

function write(out: PickleWriter, value: Plain): void {
  if (value === null) out.none();
  else if (typeof value === 'boolean') out.boolean(value);
  else if (typeof value === 'number') out.number(value);
  else if (typeof value === 'bigint') out.integer(value);
  else if (typeof value === 'string') out.string(value);
  else if (Array.isArray(value)) out.list(() => value.forEach((item) => void write(out, item)));
  else {
    out.dictionary(() => {
      for (const [key, item] of value) {
        out.string(key);
        write(out, item);
      }
    });
  }
}

/** Small bigints come back as numbers, as Python has one kind of integer. */
function narrowed(value: Plain): Plain {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(narrowed);
  return value instanceof Map ? new Map([...value].map(([key, item]) => [key, narrowed(item)])) : value;
}

test('property: what is pickled is unpickled', () => {
  fc.assert(
    fc.property(plain, (value) => {
      const out = new PickleWriter();
      write(out, value);
      assert.deepEqual(unpickle(ByteReader.ofBytes(out.finish()), host), narrowed(value));
    }),
  );
});

test('property: any bytes after a header are refused or give a value', () => {
  const operations = fc.constantFrom(
    ...'(.012NJKMGXUTCB]laet)}dsuqrhjcRbQ\x81\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96',
  );
  const part = fc.oneof(
    { weight: 6, arbitrary: operations },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '\0',
        '\x01',
        '\n',
        'X\x01\0\0\0a',
        'K\x05',
        'ccollections\nOrderedDict\n',
        'ctorch\nSize\n',
        'cnumpy\ndtype\n',
        'cnumpy.core.multiarray\n_reconstruct\n',
        'ctorch._utils\n_rebuild_tensor_v2\n',
      ),
    },
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      try {
        toPthValue(read(`\x80\x02${parts.join('')}.`));
      } catch (error) {
        assert.ok(error instanceof FormatError, String((error as Error).stack));
      }
    }),
    { numRuns: 3000 },
  );
});
