import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { labelsFromFile } from './labels-file.js';
import type { ManifestEntry } from './manifest.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-labels-'));
after(() => rmSync(folder, { recursive: true }));

const classes = ['jump', 'wave, both hands', '점프'];
const entries: ManifestEntry[] = classes.flatMap((name) => [
  ...Array.from({ length: 12 }, (_, k) => entry(`${name}/${k}.mp4`, name, 'train')),
  entry(`_test/${name}/1.mp4`, name, 'test'),
]);
entries.push(entry('_unlabelled/1.mp4', null, 'train'));

function entry(id: string, label: string | null, split: 'train' | 'test'): ManifestEntry {
  return { id, path: `/data/${id}`, label, split };
}

function labelledIds(result: readonly ManifestEntry[]): string[] {
  return result.filter(({ split, label }) => split === 'train' && label !== null).map(({ id }) => id);
}

function labelFile(...lines: string[]): string {
  const file = join(folder, 'labels.csv');
  writeFileSync(file, lines.join('\n'));
  return file;
}

test('a label file keeps its labels, labels unlabelled videos and removes all other labels', () => {
  const file = labelFile(
    'path,label',
    'jump/3.mp4,jump',
    '"wave, both hands/1.mp4", "wave, both hands"',
    '',
    './점프/0.mp4 , 점프\r',
    '_unlabelled/1.mp4,jump',
  );
  const result = labelsFromFile(entries, file);
  assert.deepEqual(labelledIds(result), ['jump/3.mp4', 'wave, both hands/1.mp4', '점프/0.mp4', '_unlabelled/1.mp4']);
  assert.equal(result.find(({ id }) => id === '_unlabelled/1.mp4')?.label, 'jump');
  assert.equal(result.filter(({ split, label }) => split === 'test' && label !== null).length, 3);
});

test('an error in a label file names the file, the line and the thing', () => {
  const problems: [line: string, message: RegExp][] = [
    ['jump/4.mp4', /expected "path,label"/],
    ['jump/4.mp4,jump,1', /expected "path,label"/],
    ['jump/99.mp4,jump', /no video "jump\/99\.mp4"/],
    ['_test/jump/1.mp4,jump', /test video/],
    ['jump/3.mp4,jump', /already listed/],
    ['jump/4.mp4,fly', /"fly" is no class/],
    ['jump/4.mp4,점프', /folder of class "jump"/],
  ];
  for (const [line, message] of problems) {
    assert.throws(
      () => labelsFromFile(entries, labelFile('jump/3.mp4,jump', '', line)),
      (error: Error & { code?: string; details?: { line?: number } }) => {
        assert.equal(error.code, 'labels-invalid');
        assert.equal(error.details?.line, 3);
        assert.match(error.message, /labels\.csv, line 3/);
        assert.match(error.message, message);
        return true;
      },
    );
  }
  const unclosed = labelFile('"jump/4.mp4,jump');
  assert.throws(() => labelsFromFile(entries, unclosed), { code: 'malformed-line', message: /labels\.csv, line 1/ });
  assert.throws(() => labelsFromFile(entries, join(folder, 'none.csv')), { code: 'list-unreadable' });
});

test('a class that gets no label is named', () => {
  const file = labelFile('jump/3.mp4,jump');
  assert.throws(() => labelsFromFile(entries, file), {
    code: 'class-without-labels',
    message: /"wave, both hands", "점프"/,
  });
});

test('a header with further columns lets rows have them, and passes over rows without a label', () => {
  const rows = ['jump/3.mp4,jump,0.9', 'jump/4.mp4,,0.3', '"wave, both hands/1.mp4","wave, both hands",0.8'];
  const file = labelFile('path,label,confidence', ...rows, '점프/0.mp4,점프,1');
  assert.deepEqual(labelledIds(labelsFromFile(entries, file)), ['jump/3.mp4', 'wave, both hands/1.mp4', '점프/0.mp4']);
});

test('proposals stand on their own: they may contradict folders, name the classes, and lie beside the videos', () => {
  const rows = [
    'path,label,split,confidence',
    'jump/3.mp4,fly,train,0.9', // by id
    '/data/jump/4.mp4,sit,train,0.8', // by place
    '/data/_unlabelled/1.mp4,점프,train,0.8',
    'jump/5.mp4,,train,0.2',
    '_test/jump/1.mp4,jump,test,',
  ];
  const unlabelled = entries.filter(({ split }) => split === 'train');
  const result = labelsFromFile(unlabelled, labelFile(...rows));
  const labels = result.filter(({ label }) => label !== null).map(({ id, label }) => [id, label]);
  assert.deepEqual(labels, [
    ['jump/3.mp4', 'fly'],
    ['jump/4.mp4', 'sit'],
    ['_unlabelled/1.mp4', '점프'],
  ]);
  // A class of the test videos for which nothing is proposed could not be recognised.
  assert.throws(() => labelsFromFile(entries, labelFile(...rows)), { code: 'class-without-labels', message: /"jump"/ });
});

test('paths may be those seen from the file', () => {
  const here = [entry('a.mp4', null, 'train'), entry('b.mp4', null, 'train')].map((one) => ({
    ...one,
    path: join(folder, 'videos', one.id),
  }));
  const file = labelFile('path,label,split,confidence', 'videos/a.mp4,one,train,1', './videos/b.mp4,two,train,1');
  assert.deepEqual(
    labelsFromFile(here, file).map(({ label }) => label),
    ['one', 'two'],
  );
});
