import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ManifestEntry, Split } from '../manifest.js';
import { readHmdb51Lists } from '../readers/hmdb51.js';
import { listLines } from '../readers/lines.js';
import { readDataset } from '../readers/read-dataset.js';
import { readUcf101Lists } from '../readers/ucf101.js';
import { readLabelList, splitFromLists } from './label-lists.js';
import { findLeaks } from './leaks.js';

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../..');
const data = process.env.CHRONOTOPE_TEST_DATA ?? join(repository, '../shared/data');
const folder = (name: string): string => join(data, name);
const absent = (name: string): string | false =>
  !existsSync(folder(name)) && `no ${folder(name)} (set CHRONOTOPE_TEST_DATA)`;

const count = (entries: readonly { split: Split }[], part: Split): number =>
  entries.filter(({ split }) => split === part).length;

const entriesOf = (videos: readonly { path: string; label: string; split: Split; group: string }[]): ManifestEntry[] =>
  videos.map(({ path, ...facts }) => ({ id: path, path, ...facts }));

test('the official lists of UCF101: known sizes, no group on both sides', { skip: absent('splits/ucf101') }, () => {
  const sizes = [1, 2, 3].map((fold) => {
    const { classes, videos } = readUcf101Lists(folder('splits/ucf101/ucfTrainTestlist'), fold);
    assert.equal(classes.length, 101);
    assert.deepEqual(findLeaks(entriesOf(videos)), []);
    return [count(videos, 'train'), count(videos, 'test')];
  });
  assert.deepEqual(sizes, [
    [9537, 3783],
    [9586, 3734],
    [9624, 3696],
  ]);
});

test('the official lists of UCF101 as a split of a data set without parts', { skip: absent('splits/ucf101') }, () => {
  const lists = folder('splits/ucf101/ucfTrainTestlist');
  const entries = entriesOf(readUcf101Lists(lists, 1).videos);
  const { split, missing } = splitFromLists(
    entries.map((entry) => ({ ...entry, split: 'train' as const })),
    { labelled: join(lists, 'trainlist02.txt'), test: join(lists, 'testlist02.txt') },
    'official, fold 2',
  );
  assert.equal(missing.count, 0);
  assert.deepEqual(
    [9586, 3734],
    ['train', 'test'].map((part) => split.items.filter((item) => item.part === part && item.label !== null).length),
  );
});

test('the official lists of HMDB51: 70 training and 30 test clips in each of 51 classes', {
  skip: absent('splits/hmdb51'),
}, () => {
  for (const fold of [1, 2, 3]) {
    const { classes, videos } = readHmdb51Lists(folder('splits/hmdb51/testTrainMulti_7030_splits'), fold);
    assert.deepEqual(
      classes,
      listLines(folder('splits/hmdb51/class_list.txt'))
        .map(({ text }) => text)
        .sort(),
    );
    assert.deepEqual([count(videos, 'train'), count(videos, 'test'), count(videos, 'unused')], [3570, 1530, 1666]);
    for (const name of classes)
      assert.equal(
        count(
          videos.filter(({ label }) => label === name),
          'test',
        ),
        30,
      );
    assert.equal(new Set(videos.map(({ path }) => path)).size, 6766);
    assert.deepEqual(findLeaks(entriesOf(videos)), [], 'clips of one source video are on one side');
  }
});

test('label lists of LTG on UCF101: labelled and unlabelled videos make up the training part', {
  skip: absent('splits/semi'),
}, () => {
  const entries = entriesOf(readUcf101Lists(folder('splits/ucf101/ucfTrainTestlist'), 1).videos);
  const list = (name: string): string => folder(`splits/semi/ltg_videossl/ucf101/ucf101_${name}_split_1_rawframes.txt`);
  const known = [
    [5, 476, 9061],
    [10, 953, 8584],
    [20, 1907, 7630],
    [50, 4768, 4769],
  ] as const;
  for (const [percent, labelled, unlabelled] of known) {
    const lists = {
      labelled: list(`train_${percent}_percent_labeled`),
      unlabelled: list(`train_${percent}_percent_unlabeled`),
      test: list('val'),
    };
    const { split, missing } = splitFromLists(entries, lists, `LTG ${percent} %`);
    assert.equal(missing.count, 0);
    const training = split.items.filter(({ part }) => part === 'train');
    assert.deepEqual(
      [training.filter(({ label }) => label !== null).length, training.filter(({ label }) => label === null).length],
      [labelled, unlabelled],
    );
    assert.equal(split.items.filter(({ part }) => part === 'test').length, 3783);
    if (percent === 5) {
      assert.equal(new Set(training.flatMap(({ label }) => label ?? [])).size, 100, '5 % misses one class');
    }
  }
});

test('label lists of LTG on HMDB51 go beyond the official training part', { skip: absent('splits/semi') }, () => {
  const entries = entriesOf(readHmdb51Lists(folder('splits/hmdb51/testTrainMulti_7030_splits'), 1).videos);
  const list = (name: string): string => folder(`splits/semi/ltg_videossl/hmdb51/hmdb51_${name}_split_1_rawframes.txt`);
  const { split, missing, notes } = splitFromLists(
    entries,
    { labelled: list('train_100_percent_labeled'), test: list('val') },
    'LTG',
  );
  assert.deepEqual([missing.count, split.items.filter(({ part }) => part === 'train').length], [0, 5236]);
  assert.equal(split.items.filter(({ part }) => part === 'unused').length, 0);
  assert.match(notes[0]!, /132 lines give their class another number .*"climb_stairs" is 5, elsewhere 6/);
});

test('label lists of Kinetics and Something-Something have their known sizes', { skip: absent('splits/semi') }, () => {
  const kinetics = (name: string) =>
    readLabelList(folder(`splits/semi/ltg_videossl/kinetics400/kinetics400_train_${name}.txt.gz`));
  assert.equal(kinetics('1_percent_labeled_videos').length, 2400);
  assert.equal(kinetics('10_percent_labeled_rawframes').length, 24_000);
  const classes = new Set(
    listLines(folder('splits/kinetics/label_map_400.txt')).map(({ text }) => text.replaceAll(' ', '_')),
  );
  const unknown = kinetics('1_percent_labeled_videos').filter(({ name }) => !classes.has(name.split('/')[0]!));
  assert.deepEqual(unknown.slice(0, 3), []);
  const mini = (part: string) =>
    readLabelList(folder(`splits/semi/tcl_mini_something_v2/${part}_videofolder_mini.txt.gz`));
  assert.deepEqual([mini('train').length, mini('val').length], [81_663, 11_799]);
  assert.equal(new Set(mini('train').map(({ classNumber }) => classNumber)).size, 87);
  const small = readLabelList(
    folder('splits/semi/actorcutmix_videossl/kinetics100/kinetics100_train_5_percent_labeled_rawframes.txt.gz'),
  );
  assert.equal(new Set(small.map(({ classNumber }) => classNumber)).size, 100);
});

test('weizmann4: nine persons as groups, the semi-supervised lists as splits', {
  skip: absent('weizmann4'),
}, async () => {
  const { entries, classes } = await readDataset(folder('weizmann4'), { format: 'csv' });
  assert.deepEqual(classes, ['bend', 'jack', 'wave1', 'wave2']);
  assert.deepEqual([entries.length, new Set(entries.map(({ group }) => group)).size], [36, 9]);
  const list = (name: string): string => folder(`weizmann4/splits/${name}.txt`);
  for (const round of [1, 2, 3]) {
    for (const persons of [1, 2, 3]) {
      const lists = {
        labelled: list(`semi_${round}_labeled_${persons}person`),
        unlabelled: list(`semi_${round}_unlabeled_${persons}person`),
        test: list(`semi_${round}_test`),
      };
      const { split } = splitFromLists(entries, lists, 'semi');
      const of = (part: Split, known: boolean) =>
        split.items.filter((item) => item.part === part && (item.label !== null) === known).length;
      assert.deepEqual([of('train', true), of('train', false), of('test', true)], [4 * persons, 24 - 4 * persons, 12]);
      const applied = entries.map((entry, k) => ({ ...entry, split: split.items[k]!.part }));
      assert.deepEqual(findLeaks(applied), []);
    }
  }
});

test('egogestar: the table beside the folders is one of two readings, and has the known parts', {
  skip: absent('egogestar'),
}, async () => {
  await assert.rejects(readDataset(folder('egogestar')), { code: 'ambiguous-format' });
  const { entries, missing, classes } = await readDataset(join(folder('egogestar'), 'clips.csv'));
  assert.deepEqual([entries.length, missing.count, classes.length], [249, 0, 10]);
  assert.equal(entries.filter(({ label }) => label !== null).length, 224);
  assert.equal(entries.filter(({ split, label }) => split === 'test' && label !== null).length, 56);
});

test('tracking sequences: one box a frame, whatever separates the numbers', { skip: absent('tracking') }, async () => {
  const { format, entries } = await readDataset(folder('tracking'));
  assert.equal(format, 'otb');
  assert.deepEqual(
    entries.map(({ id, tracking }) => [id, tracking!.boxes.length]),
    [
      ['Crossing', 120],
      ['DragonBaby', 113],
    ],
  );
  assert.deepEqual(entries[0]!.tracking!.boxes[0], [205, 151, 17, 50]);
  assert.deepEqual(entries[1]!.tracking!.attributes, ['SV', 'OCC', 'MB', 'FM', 'IPR', 'OPR', 'OV']);
});
