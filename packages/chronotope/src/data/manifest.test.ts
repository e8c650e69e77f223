import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ChronotopeError } from '../errors.js';
import { classesOf, type ManifestEntry, readManifest, writeManifest } from './manifest.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-manifest-'));
after(() => rmSync(folder, { recursive: true }));

const entries: ManifestEntry[] = [
  { id: 'wave/a b.mp4', path: '/data/wave/a b.mp4', label: 'wave', split: 'train' },
  { id: '_unlabelled/é.mp4', path: '/data/_unlabelled/é.mp4', label: null, split: 'train' },
  { id: '_test/jump/1.mp4', path: '/data/_test/jump/1.mp4', label: 'jump', split: 'test' },
];

function written(text: string): string {
  const file = join(folder, 'manifest.jsonl');
  writeFileSync(file, text);
  return file;
}

test('a manifest comes back as it was written, in its order', () => {
  const file = join(folder, 'round-trip.jsonl');
  writeManifest(file, entries);
  assert.deepEqual(readManifest(file), entries);
});

test('blank lines, a byte order mark and unknown fields are no errors', () => {
  const file = written('\uFEFF{"id":"a","path":"a","label":null,"split":"train","fps":25}\n\n  \n');
  assert.deepEqual(readManifest(file), [{ id: 'a', path: join(folder, 'a'), label: null, split: 'train' }]);
});

test('paths in a manifest are relative to its folder, and groups are kept', () => {
  const file = join(folder, 'index', 'manifest.jsonl');
  mkdirSync(join(folder, 'index'));
  const entry: ManifestEntry = {
    id: 'a',
    path: join(folder, 'videos', 'a.mp4'),
    label: 'x',
    split: 'test',
    group: 'p1',
  };
  writeManifest(file, [entry]);
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).path, '../videos/a.mp4');
  assert.deepEqual(readManifest(file), [entry]);
});

test('an error names the file, the line and what is wrong in it', () => {
  const good = '{"id":"a","path":"a","label":"x","split":"train"}';
  const problems: [line: string, message: RegExp][] = [
    ['{"id":', /not JSON/],
    ['[1]', /expected a JSON object/],
    ['{"path":"a","label":null,"split":"train"}', /"id"/],
    ['{"id":"b","path":"","label":null,"split":"train"}', /"path"/],
    ['{"id":"b","path":"b","split":"train"}', /"label"/],
    ['{"id":"b","path":"b","label":null,"split":"val"}', /"split"/],
    ['{"id":"b","path":"b","label":null,"split":"train","group":1}', /"group"/],
    [good, /"a" was already used in line 1/],
  ];
  for (const [line, message] of problems) {
    const file = written(`${good}\n\n${line}\n`);
    assert.throws(
      () => readManifest(file),
      (error: unknown) => {
        assert.ok(error instanceof ChronotopeError);
        assert.equal(error.code, 'manifest-invalid');
        assert.equal(error.details.line, 3);
        assert.match(error.message, /manifest\.jsonl, line 3/);
        assert.match(error.message, message);
        return true;
      },
    );
  }
});

test('a missing manifest is an error with its name', () => {
  assert.throws(() => readManifest(join(folder, 'none.jsonl')), {
    code: 'manifest-unreadable',
    message: /none\.jsonl/,
  });
});

test('classes are sorted, unique and without the unlabelled videos', () => {
  assert.deepEqual(classesOf([...entries, ...entries]), ['jump', 'wave']);
});
