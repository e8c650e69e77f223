import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { encode, encodePicture } from '@chronotope/video';
import { loadVideoRecipe } from '../recipes/load.js';
import { fileTrees, images } from '../testing/file-tree.js';
import type { Progress } from '../training/progress.js';
import { buildFrameCache, clearFrameCache, describeFrameCache, verifyFrameCache } from './frame-cache.js';

const root = mkdtempSync(join(tmpdir(), 'chronotope-cache-'));
after(() => rmSync(root, { recursive: true }));
const tree = fileTrees();
const data = join(root, 'videos');
const store = join(root, 'frames');

before(async () => {
  for (const name of ['jump', 'wave']) mkdirSync(join(data, name), { recursive: true });
  const frames = new Uint8Array(6 * 48 * 64 * 3).map((_, k) => k % 251);
  await encode(frames, join(data, 'jump/a.mp4'), { width: 64, height: 48, fps: 10 });
  await encode(frames.subarray(48 * 64 * 3), join(data, 'wave/b.mp4'), { width: 64, height: 48, fps: 10 });
});

const notes: string[] = [];
const progress: Progress = {
  begin: () => ({ update: () => {}, end: () => {} }),
  note: (line) => void notes.push(line),
};

/** Builds with settings of a recipe and gives the counts. */
async function build(from: string, overrides: string[] = [], verify?: 'checksum') {
  const { frames } = loadVideoRecipe('timebalance-small', overrides);
  const { plan, stored, reused, failed } = await buildFrameCache({ data: from, store, frames, verify, progress });
  return [plan.format, stored, reused, failed.length];
}

test('the format follows from the budget and is explained; a store holds several kinds', async () => {
  assert.deepEqual(await build(data), ['raw', 2, 0, 0]);
  assert.match(notes.at(-1)!, /frames are stored as raw: raw frames take about .*, JPEG about .*; raw fits into/);
  assert.deepEqual(await build(data, ['frames.budget=1kB', 'frames.shortSide=24']), ['jpeg', 2, 0, 0]);
  assert.match(notes.at(-1)!, /stored as jpeg: .* over the budget of 1\.0 kB/);
  const kinds = await describeFrameCache({ store });
  assert.deepEqual(
    kinds.map(({ format, shortSide, fps, videos, frames }) => [format, shortSide, fps, videos, frames]),
    [
      ['jpeg', 24, null, 2, 11],
      ['raw', 48, null, 2, 11],
    ],
  );
  assert.equal(kinds[1]!.bytes, 11 * 48 * 64 * 3);
});

test('damage is found and named, and a thorough build makes it good', async () => {
  writeFileSync(join(store, readdirSync(store).find((name) => name.endsWith('.rgb'))!), 'damage');
  const { checked, damaged } = await verifyFrameCache({ store, data });
  assert.deepEqual([checked, damaged.length], [4, 1]);
  assert.match(damaged[0]!.reason, /6 bytes instead of/);
  assert.match(damaged[0]!.sources[0]!, /videos\/(jump\/a|wave\/b)\.mp4$/);
  assert.deepEqual(await build(data, [], 'checksum'), ['raw', 1, 1, 0]);
  assert.deepEqual((await verifyFrameCache({ store })).damaged, []);
});

test('another data set with the same video under another name needs no decoding; clearing it takes only its frames', async () => {
  const other = join(root, 'other');
  mkdirSync(other);
  copyFileSync(join(data, 'jump/a.mp4'), join(other, 'renamed.mp4'));
  assert.deepEqual(await build(other), ['raw', 0, 1, 0]);
  assert.equal((await clearFrameCache({ store, data: other })).removed, 2);
  assert.deepEqual(await build(data), ['raw', 1, 1, 0]);
  assert.equal((await clearFrameCache({ store })).removed, 3);
  assert.deepEqual(await describeFrameCache({ store }), []);
});

test('broken videos are left out with their reason; folders of images are videos', async () => {
  const broken = join(root, 'broken');
  mkdirSync(broken);
  copyFileSync(join(data, 'jump/a.mp4'), join(broken, 'good.mp4'));
  writeFileSync(join(broken, 'empty.mp4'), '');
  assert.deepEqual(await build(broken), ['raw', 1, 0, 1]);
  assert.match(notes.at(-1)!, /left out: empty\.mp4: The file has zero bytes/);
  const folder = tree({ ...images('jump/a', 3), ...images('wave/b', 3) });
  const picture = await encodePicture({ data: new Uint8Array(48 * 64 * 3), height: 48, width: 64 });
  for (const k of [1, 2, 3]) writeFileSync(join(folder, `jump/a/0000${k}.jpg`), picture);
  assert.deepEqual(await build(folder), ['raw', 1, 0, 1]);
  assert.match(notes.at(-1)!, /left out: wave\/b: The file has zero bytes/);
});
