import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { drawLabels, labelsFromFile, requireLabelInEveryClass } from './label-split.js';
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

test('draws the same number in every class, drops no video and leaves the test part alone', () => {
  const result = drawLabels(entries, { perClass: 5, seed: 3 });
  assert.deepEqual(
    result.map(({ id }) => id),
    entries.map(({ id }) => id),
  );
  for (const name of classes) {
    assert.equal(result.filter((one) => one.split === 'train' && one.label === name).length, 5);
    assert.equal(result.filter((one) => one.split === 'test' && one.label === name).length, 1);
  }
});

test('a smaller budget is part of a larger one', () => {
  const five = new Set(labelledIds(drawLabels(entries, { perClass: 5, seed: 3, draw: 1 })));
  const two = labelledIds(drawLabels(entries, { perClass: 2, seed: 3, draw: 1 }));
  assert.equal(two.length, 6);
  assert.ok(two.every((id) => five.has(id)));
});

test('seed and draw decide, the order of the entries does not', () => {
  const first = labelledIds(drawLabels(entries, { perClass: 2, seed: 3 }));
  assert.deepEqual(labelledIds(drawLabels([...entries].reverse(), { perClass: 2, seed: 3 })).sort(), [...first].sort());
  assert.notDeepEqual(labelledIds(drawLabels(entries, { perClass: 2, seed: 4 })), first);
  assert.notDeepEqual(labelledIds(drawLabels(entries, { perClass: 2, seed: 3, draw: 1 })), first);
});

test('more labels than a class has is an error with both numbers', () => {
  assert.throws(() => drawLabels(entries, { perClass: 13, seed: 0 }), {
    code: 'too-few-labels',
    message: /"jump" has 12 .* 13 were asked for/,
  });
  assert.throws(() => drawLabels(entries, { perClass: 0, seed: 0 }), { code: 'bad-label-budget' });
});

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
    ['"jump/4.mp4,jump', /expected "path,label"/],
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
  assert.throws(() => labelsFromFile(entries, join(folder, 'none.csv')), { code: 'labels-unreadable' });
});

test('a class that gets no label is named', () => {
  const file = labelFile('jump/3.mp4,jump');
  assert.throws(() => labelsFromFile(entries, file), {
    code: 'class-without-labels',
    message: /"wave, both hands", "점프"/,
  });
  assert.doesNotThrow(() => requireLabelInEveryClass(entries, classes));
});
