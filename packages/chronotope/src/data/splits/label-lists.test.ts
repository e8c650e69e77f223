import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { fileTrees } from '../../testing/file-tree.js';
import type { ManifestEntry, Split } from '../manifest.js';
import { readLabelList, splitFromLists } from './label-lists.js';

const tree = fileTrees();

const entry = (id: string, label: string | null, split: Split = 'train'): ManifestEntry => ({
  id,
  path: `/d/${id}`,
  label,
  split,
});

const entries = [
  entry('UCF-101/High Jump/v_1.avi', 'High Jump'),
  entry('UCF-101/High Jump/v_2.avi', 'High Jump'),
  entry('UCF-101/Rowing/v_1.avi', 'Rowing'),
  entry('UCF-101/Rowing/v_3.avi', 'Rowing'),
  entry('UCF-101/Rowing/v_4.avi', 'Rowing', 'test'),
];

const parts = (split: { items: { id: string; part: Split; label: string | null }[] }) =>
  split.items.map(({ id, part, label }) => [id.slice(8), part, label]);

test('the three forms of list lines, compressed or not, with blanks in names and -1 for no class', () => {
  const root = tree({
    'names.txt': 'a/b c.mp4\r\na/d.mp4\r\n',
    'classes.txt': 'a/b 1.mp4 0\na/d.mp4 -1\n',
    'frames.txt.gz': gzipSync('201282 45 74\n50875 42 7\n'),
  });
  assert.deepEqual(
    readLabelList(join(root, 'names.txt')).map(({ name, frames, classNumber }) => [name, frames, classNumber]),
    [
      ['a/b c.mp4', null, null],
      ['a/d.mp4', null, null],
    ],
  );
  assert.deepEqual(
    readLabelList(join(root, 'classes.txt')).map(({ name, frames, classNumber }) => [name, frames, classNumber]),
    [
      ['a/b 1.mp4', null, 0],
      ['a/d.mp4', null, null],
    ],
  );
  assert.deepEqual(readLabelList(join(root, 'frames.txt.gz')), [
    { name: '201282', frames: 45, classNumber: 74, line: 1 },
    { name: '50875', frames: 42, classNumber: 7, line: 2 },
  ]);
});

test('lists make a split of the data set: names by their last two parts, the rest unlabelled', () => {
  const root = tree({ 'labelled.txt': '/home/x/frames/High_Jump/v_2 108 0\nRowing/v_1 99 1\nRowing/v_9 50 1\n' });
  const { split, missing } = splitFromLists(entries, { labelled: join(root, 'labelled.txt') }, 'paper, 5 %');
  assert.deepEqual(parts(split), [
    ['High Jump/v_1.avi', 'train', null],
    ['High Jump/v_2.avi', 'train', 'High Jump'],
    ['Rowing/v_1.avi', 'train', 'Rowing'],
    ['Rowing/v_3.avi', 'train', null],
    ['Rowing/v_4.avi', 'test', 'Rowing'],
  ]);
  assert.deepEqual(missing, { count: 1, first: ['Rowing/v_9'] });
  assert.deepEqual(
    split.steps.map(({ rule }) => rule),
    ['lists'],
  );
});

test('with a list of unlabelled videos, those that no list names are set aside; a test list sets the test part', () => {
  const root = tree({ 'l.txt': 'High_Jump/v_1.avi 0\n', 'u.txt': 'Rowing/v_1.avi 1\n', 't.txt': 'Rowing/v_3.avi 1\n' });
  const lists = { labelled: join(root, 'l.txt'), unlabelled: join(root, 'u.txt'), test: join(root, 't.txt') };
  assert.deepEqual(parts(splitFromLists(entries, lists, 's').split), [
    ['High Jump/v_1.avi', 'train', 'High Jump'],
    ['High Jump/v_2.avi', 'unused', null],
    ['Rowing/v_1.avi', 'train', null],
    ['Rowing/v_3.avi', 'test', 'Rowing'],
    ['Rowing/v_4.avi', 'test', 'Rowing'],
  ]);
});

test('numbers of videos and classes: the file with the names of the classes gives the labels', () => {
  const root = tree({ 'l.txt': '10 45 1\n11 40 0\n', 'classes.txt': 'Opening\nClosing\n' });
  const unlabelled = [entry('20bn/10.webm', null), entry('20bn/11.webm', null)];
  const lists = { labelled: join(root, 'l.txt'), classes: join(root, 'classes.txt') };
  assert.deepEqual(
    splitFromLists(unlabelled, lists, 's').split.items.map(({ label }) => label),
    ['Closing', 'Opening'],
  );
  assert.throws(() => splitFromLists(unlabelled, { labelled: lists.labelled }, 's'), {
    message: /line 1: expected a class for "10"/,
  });
});

test('lines whose number is not that of the other lines of their class are counted; the data set decides', () => {
  const root = tree({ 'l.txt': 'Rowing/v_1 1\nRowing/v_3 1\nRowing/v_4 0\nHigh_Jump/v_1 0\n' });
  const { split, notes } = splitFromLists(entries, { labelled: join(root, 'l.txt') }, 's');
  assert.equal(split.items.find(({ id }) => id.endsWith('v_4.avi'))?.label, 'Rowing');
  assert.deepEqual(
    notes.map((note) => note.slice(0, note.indexOf(';'))),
    [
      'l.txt: 1 lines give their class another number than most lines do, for example line 3 ("Rowing" is 0, elsewhere 1)',
    ],
  );
});

test('lines that contradict each other or the data set name their line', () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ 'l.txt': 'Rowing/v_1 99 1\nRowing/v_3 1\n' }, /line 2: expected "name frames class"/],
    [{ 'l.txt': 'Rowing/v_1 0\nRowing/v_1 0\n' }, /line 2: .* is listed twice/],
    [
      { 'l.txt': 'Rowing/v_1 7\n', 'c.txt': 'High Jump\nRowing\n' },
      /line 1: expected the number of a class below 2, got 7/,
    ],
    [
      { 'l.txt': 'Rowing/v_1 0\n', 'c.txt': 'High Jump\nRowing\n' },
      /line 1: .* of class "Rowing", but number 0 is "High Jump"/,
    ],
    [{ 'l.txt': 'Rowing/v_1 1\n', 'u.txt': 'Rowing/v_1 1\n' }, /u\.txt, line 1: .* also in .*l\.txt/],
    [{ 'l.txt': 'Flying/x 1\n' }, /none of the 1 videos/],
  ];
  for (const [files, message] of cases) {
    const root = tree(files);
    const lists = {
      labelled: join(root, 'l.txt'),
      ...('u.txt' in files ? { unlabelled: join(root, 'u.txt') } : {}),
      ...('c.txt' in files ? { classes: join(root, 'c.txt') } : {}),
    };
    assert.throws(() => splitFromLists(entries, lists, 's'), message);
  }
});
