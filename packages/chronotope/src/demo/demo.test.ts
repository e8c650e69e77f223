import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { probe } from '@chronotope/video';
import { readClassFolders } from '../data/class-folders.js';
import { demoClasses } from './demo-classes.js';
import { demoFrameRate, demoFrames, demoSize, generateDemoVideo } from './render.js';
import { writeDemoData } from './write-demo-data.js';

const scratch = mkdtempSync(join(tmpdir(), 'chronotope-demo-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const frameBytes = demoSize * demoSize * 3;
const first = { seed: 1, part: 'train', classIndex: 0, index: 0 } as const;

function classIndex(name: string): number {
  return demoClasses.findIndex((demoClass) => demoClass.name === name);
}

/** Mean pixel value of some frames, averaged over eight videos of a class. */
function meanBrightness(name: string, fromFrame: number, toFrame: number): number {
  let sum = 0;
  for (let index = 0; index < 8; index++) {
    const video = generateDemoVideo({ ...first, classIndex: classIndex(name), index });
    for (const value of video.subarray(fromFrame * frameBytes, toFrame * frameBytes)) sum += value;
  }
  return sum / (8 * (toFrame - fromFrame) * frameBytes);
}

test('at least ten classes with names of their own, half of each kind', () => {
  const appearance = demoClasses.filter(({ kind }) => kind === 'appearance').length;
  assert.ok(demoClasses.length >= 10);
  assert.equal(appearance * 2, demoClasses.length);
  assert.equal(new Set(demoClasses.map(({ name }) => name)).size, demoClasses.length);
});

test('a video has its full size, and pixels from dark to bright without being mostly clipped', () => {
  for (let index = 0; index < demoClasses.length; index++) {
    const video = generateDemoVideo({ ...first, classIndex: index });
    assert.equal(video.length, demoFrames * frameBytes);
    const clipped = video.filter((value) => value === 0 || value === 255).length / video.length;
    assert.ok(clipped < 0.3, `${demoClasses[index]!.name}: ${clipped} of the values are clipped`);
    assert.ok(video.some((value) => value > 150) && video.some((value) => value < 60), demoClasses[index]!.name);
  }
});

test('the same arguments give the same video; another seed, part, class or index gives another one', () => {
  assert.deepEqual(generateDemoVideo(first), generateDemoVideo(first));
  const others = [{ seed: 2 }, { part: 'test' as const }, { classIndex: 1 }, { index: 1 }];
  for (const other of others) assert.notDeepEqual(generateDemoVideo({ ...first, ...other }), generateDemoVideo(first));
});

test('a class the demo does not have is refused', () => {
  assert.throws(() => generateDemoVideo({ ...first, classIndex: demoClasses.length }), RangeError);
});

test('the classes of a pair change in opposite directions', () => {
  for (const [rising, falling] of [
    ['appear', 'vanish'],
    ['grow', 'shrink'],
  ] as const) {
    const change = (name: string): number =>
      meanBrightness(name, demoFrames - 4, demoFrames) - meanBrightness(name, 0, 4);
    assert.ok(change(rising) > 10, `${rising}: ${change(rising)}`);
    assert.ok(change(falling) < -10, `${falling}: ${change(falling)}`);
  }
});

test('a class played backwards shows what its partner shows', () => {
  for (const [one, other] of [
    ['appear', 'vanish'],
    ['grow', 'shrink'],
    ['split', 'merge'],
  ] as const) {
    // With the same random numbers and a change in the middle of the video, only the direction differs.
    const middle = { uniform: (low = 0, high = 1) => (low + high) / 2 };
    const scenes = [one, other].map((name) => demoClasses[classIndex(name)]!.scene(middle as never));
    for (const time of [0, 0.3, 0.45, 0.8, 1]) {
      const [forwards, backwards] = [scenes[0]!(time), scenes[1]!(1 - time)];
      assert.ok(Math.abs(forwards.opacity - backwards.opacity) < 1e-9, `${one} at ${time}`);
      assert.ok(Math.abs(forwards.scale - backwards.scale) < 1e-9, `${one} at ${time}`);
      assert.ok(Math.abs(forwards.shape(0.4, 0.2) - backwards.shape(0.4, 0.2)) < 1e-9, `${one} at ${time}`);
    }
  }
});

test('a data set is written, read as class folders, kept when it is there, and kept apart from other files', async () => {
  const folder = join(scratch, 'data');
  const options = { trainPerClass: 1, testPerClass: 1 };
  await writeDemoData(folder, options);

  const { entries, classes, ignored, warnings } = readClassFolders(folder);
  const names = demoClasses.map(({ name }) => name).sort();
  assert.deepEqual(classes, names);
  assert.deepEqual([ignored, warnings], [[], []]);
  assert.deepEqual(
    entries.map(({ id, label, split }) => [id, label, split]),
    [
      ...names.map((name) => [`${name}/${name}_001.mp4`, name, 'train']),
      ...names.map((name) => [`_test/${name}/${name}_001.mp4`, name, 'test']),
    ],
  );
  for (const { label, text } of entries) assert.ok(text?.toLowerCase().includes(label!), `${label}: ${text}`);
  const info = await probe(entries[0]!.path);
  assert.deepEqual([info.width, info.height], [demoSize, demoSize]);
  assert.ok(Math.abs(info.duration! - demoFrames / demoFrameRate) < 0.06);

  const kept = statSync(entries[0]!.path).mtimeMs;
  rmSync(entries[1]!.path);
  await writeDemoData(`${folder}/`, options);
  assert.equal(statSync(entries[0]!.path).mtimeMs, kept);
  assert.ok(statSync(entries[1]!.path).size > 0);

  for (const other of [{ seed: 2 }, { trainPerClass: 0 }]) {
    await assert.rejects(writeDemoData(folder, { ...options, ...other }), { code: 'demo-data-differs' });
  }
  await writeDemoData(folder, { ...options, trainPerClass: 2 });
  assert.equal(readClassFolders(folder).entries.length, 3 * names.length);

  writeFileSync(join(folder, 'holiday.mp4'), '');
  await assert.rejects(writeDemoData(folder, { ...options, trainPerClass: 2 }), {
    code: 'folder-not-empty',
    message: /holiday\.mp4/,
  });
});

test('an aborted signal ends the work as interrupted', async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(writeDemoData(join(scratch, 'aborted'), { trainPerClass: 1, signal }), { code: 'interrupted' });
});
