import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readManifest, writeManifest } from '../data/manifest.js';
import { writeSplit } from '../data/splits/dataset-split.js';
import { makeSplit } from '../data/splits/make-split.js';
import { empty, fileTrees, images } from '../testing/file-tree.js';
import { readTrainingData } from './training-data.js';

const tree = fileTrees();

const root = mkdtempSync(path.join(tmpdir(), 'chronotope-training-data-'));
after(() => rmSync(root, { recursive: true }));

const videos = path.join(root, 'videos');
for (const file of ['a/1.mp4', 'a/2.mp4', 'a/3.mp4', 'b/4.mp4', 'b/5.mp4', '_unlabelled/6.mp4', '_test/b/7.mp4']) {
  mkdirSync(path.join(videos, path.dirname(file)), { recursive: true });
  writeFileSync(path.join(videos, file), '');
}

test('class folders and the manifest made of them are the same data', async () => {
  const folders = await readTrainingData(videos);
  const manifest = path.join(root, 'videos.jsonl');
  writeManifest(manifest, folders.entries);
  const listed = await readTrainingData(manifest);
  assert.deepEqual(listed.classes, ['a', 'b']);
  assert.deepEqual(
    listed.entries.map(({ id, label, split }) => ({ id, label, split })),
    folders.entries.map(({ id, label, split }) => ({ id, label, split })),
  );
  assert.deepEqual(
    readManifest(manifest).map((entry) => entry.path),
    folders.entries.map((entry) => entry.path),
  );
});

test('a split file decides about parts and labels', async () => {
  const { entries } = await readTrainingData(videos);
  const file = path.join(root, 'split.jsonl');
  writeSplit(file, makeSplit(entries, { labels: { perClass: 1 }, seed: 3 }).split);
  const split = await readTrainingData(videos, file);
  assert.equal(split.entries.filter(({ label, split }) => split === 'train' && label !== null).length, 2);
  assert.equal(split.entries.filter(({ split }) => split === 'test').length, 1);
});

test('a list with one class is refused by name', async () => {
  const list = path.join(root, 'one.csv');
  writeFileSync(list, 'path,label\nvideos/a/1.mp4,a\nvideos/a/2.mp4,a\n');
  await assert.rejects(readTrainingData(list), { code: 'one-class', message: /only one class, "a"/ });
});

test('a folder of a published data set, of frames or of archives is read as such', async () => {
  const ucf = tree({
    'ucfTrainTestlist/classInd.txt': '1 Jump\n2 Wave\n3 Yawn\n',
    'ucfTrainTestlist/trainlist01.txt': 'Jump/v_Jump_g08_c01.avi 1\nWave/v_Wave_g08_c01.avi 2\n',
    'ucfTrainTestlist/testlist01.txt': 'Jump/v_Jump_g01_c01.avi\nYawn/v_Yawn_g01_c01.avi\n',
    ...empty('UCF-101/Jump/v_Jump_g08_c01.avi', 'UCF-101/Wave/v_Wave_g08_c01.avi', 'UCF-101/Jump/v_Jump_g01_c01.avi'),
  });
  const { entries, classes, notes } = await readTrainingData(ucf);
  assert.deepEqual(classes, ['Jump', 'Wave']);
  assert.deepEqual(
    entries.map(({ label, split }) => [label, split]),
    [
      ['Jump', 'train'],
      ['Wave', 'train'],
      ['Jump', 'test'],
    ],
  );
  assert.match(notes.join(), /1 listed videos are not on the disk: left out \(Yawn/);

  const frames = await readTrainingData(tree({ ...images('jump/a', 3), ...images('wave/b', 3) }));
  assert.deepEqual(frames.classes, ['jump', 'wave']);
  assert.deepEqual(frames.entries[0]!.frames, { pattern: '%05d.jpg', first: 1, count: 3 });
});

test('beside other files class folders are class folders, with what was left out said', async () => {
  const folder = tree({
    'clips.csv': 'path,label\na/1.mp4,b\n',
    ...empty('a/1.mp4', 'a/1.jpg', 'b/2.mp4', 'c.mp4', 'all.tar'),
  });
  const { classes, notes } = await readTrainingData(folder);
  assert.deepEqual(classes, ['a', 'b']);
  assert.match(notes.join(), /1 video directly in .*c\.mp4.*: left out/);
});

test('what cannot be trained on is named for every layout', async () => {
  const cases: [Record<string, string>, code: string, message: RegExp][] = [
    [empty('_unlabelled/1.mp4'), 'no-classes', /no class folders/],
    [empty('1.mp4', '2.mp4'), 'no-videos', /2 videos directly in it/],
    [empty('a/1.mp4'), 'one-class', /only one class, "a"/],
    [images('film', 3), 'ambiguous-format', /frame-folders .* or image-folders/],
    [{ 'clips.csv': 'path\nfilm\n', ...images('film', 1) }, 'ambiguous-format', /csv .* or image-folders/],
    [images('wave/film', 3), 'one-class', /only one class, "wave"/],
    [{}, 'folder-empty', /is empty/],
  ];
  for (const [files, code, message] of cases) await assert.rejects(readTrainingData(tree(files)), { code, message });
  await assert.rejects(readTrainingData(path.join(root, 'nowhere')), { code: 'source-missing', message: /nowhere/ });
});
