import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { readJsonLines, readLines } from './json-lines.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-lines-'));
after(() => rmSync(folder, { recursive: true }));

function written(text: string): string {
  const file = join(folder, 'lines.txt');
  writeFileSync(file, text);
  return file;
}

test('lines are those of splitting the whole text, wherever its pieces end', () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'é', '😀', ' ', '\t'), maxLength: 40 });
  const long = fc.integer({ min: 65_530, max: 65_545 }).map((length) => 'é'.repeat(length / 2));
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 20, arbitrary: line }, long)), fc.boolean(), (lines, windows) => {
      const end = windows ? '\r\n' : '\n';
      const file = written(lines.map((text) => text + end).join(''));
      assert.deepEqual(
        [...readLines(file, 'x')].map(({ text }) => text),
        lines,
      );
    }),
    { numRuns: 60 },
  );
});

test('offset and bytes find a line again in the file', () => {
  const file = written('\uFEFFé\r\n\n😀 last');
  const bytes = readFileSync(file);
  const lines = [...readLines(file, 'x')];
  assert.deepEqual(
    lines.map(({ text, line, ended }) => [text, line, ended]),
    [
      ['é', 1, true],
      ['', 2, true],
      ['😀 last', 3, false],
    ],
  );
  assert.deepEqual(
    lines.map(({ offset, bytes: length }) => bytes.toString('utf8', offset, offset + length)),
    ['\uFEFFé\r', '', '😀 last'],
  );
});

test('values are checked, and a mistake is named with file and line', () => {
  const format = { schema: z.object({ n: z.int('must be whole') }), unreadable: 'gone', invalid: 'bad', hint: 'so' };
  assert.deepEqual(
    [...readJsonLines(written('{"n":1,"more":2}\n\n{"n":3}'), format)],
    [
      { value: { n: 1 }, line: 1 },
      { value: { n: 3 }, line: 3 },
    ],
  );
  for (const [text, message] of [
    ['{"n":1.5}', /lines\.txt, line 2: "n" must be whole/],
    ['{"n":', /lines\.txt, line 2: not JSON/],
    ['[]', /lines\.txt, line 2: expected a JSON object/],
  ] as const) {
    const read = () => [...readJsonLines(written(`{"n":1}\n${text}\n`), format)];
    assert.throws(read, { code: 'bad', hint: 'so', message, details: { file: join(folder, 'lines.txt'), line: 2 } });
  }
  assert.throws(() => [...readJsonLines(join(folder, 'none'), format)], { code: 'gone', message: /none/ });
});
