import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readManifest, writeManifest } from '../data/manifest.js';
import { writeSplit } from '../data/splits/dataset-split.js';
import { makeSplit } from '../data/splits/make-split.js';
import { readTrainingData } from './training-data.js';

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
