import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { probe } from '@chronotope/video';
import { readClassFolders } from '../data/class-folders.js';
import { demoClasses } from './demo-classes.js';
import { demoDurations, demoFrameRates, demoSize, planDemoVideo, renderDemoVideo } from './render.js';
import type { Scene } from './scene.js';
import { writeDemoData } from './write-demo-data.js';

const scratch = mkdtempSync(join(tmpdir(), 'chronotope-demo-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const frameBytes = demoSize * demoSize * 3;
const first = { seed: 1, part: 'train', classIndex: 0, index: 0 } as const;
/** Plans of some videos of every class. */
const plans = [...demoClasses.keys()].flatMap((classIndex) =>
  Array.from({ length: 24 }, (_, index) => planDemoVideo({ ...first, classIndex, index })),
);

test('a video has its full size, and pixels from dark to bright without being mostly clipped', () => {
  for (let index = 0; index < demoClasses.length; index++) {
    const plan = planDemoVideo({ ...first, classIndex: index });
    const video = renderDemoVideo(plan);
    assert.equal(video.length, plan.frames * frameBytes);
    const clipped = video.filter((value) => value === 0 || value === 255).length / video.length;
    assert.ok(clipped < 0.3, `${demoClasses[index]!.name}: ${clipped} of the values are clipped`);
    assert.ok(video.some((value) => value > 120) && video.some((value) => value < 60), demoClasses[index]!.name);
  }
});

test('the same arguments give the same video; another seed, part, class or index gives another one', () => {
  const pixels = (name: typeof first) => renderDemoVideo({ ...planDemoVideo(name), frames: 3 });
  assert.deepEqual(pixels(first), pixels(first));
  const others = [{ seed: 2 }, { part: 'test' }, { classIndex: 1 }, { index: 1 }];
  for (const other of others) assert.notDeepEqual(pixels({ ...first, ...other } as typeof first), pixels(first));
});

test('a class the demo does not have is refused', () => {
  assert.throws(() => planDemoVideo({ ...first, classIndex: demoClasses.length }), RangeError);
});

test('videos show a function of time: twice the frame rate adds frames and leaves the others as they are', () => {
  for (const classIndex of [0, 8, 12, 15]) {
    const plan = planDemoVideo({ ...first, classIndex });
    const slow = renderDemoVideo({ ...plan, frames: 8 });
    const fast = renderDemoVideo({ ...plan, frames: 15, frameRate: 2 * plan.frameRate });
    for (let k = 0; k < 8; k++) {
      const expected = slow.subarray(k * frameBytes, (k + 1) * frameBytes);
      assert.deepEqual(fast.subarray(2 * k * frameBytes, (2 * k + 1) * frameBytes), expected);
    }
  }
});

test('durations and frame rates vary as declared, in every class', () => {
  const [shortest, longest] = demoDurations;
  const durations = plans.map(({ frames, frameRate }) => frames / frameRate);
  assert.deepEqual([...new Set(plans.map(({ frameRate }) => frameRate))].sort(), [...demoFrameRates].sort());
  assert.ok(durations.every((seconds) => seconds > shortest - 0.05 && seconds < longest + 0.05));
  for (const classIndex of demoClasses.keys()) {
    const own = plans.slice(24 * classIndex, 24 * (classIndex + 1));
    const lengths = own.map(({ frames, frameRate }) => frames / frameRate);
    assert.ok(Math.max(...lengths) - Math.min(...lengths) > 0.6, demoClasses[classIndex]!.name);
    assert.ok(new Set(own.map(({ frameRate }) => frameRate)).size >= 3, demoClasses[classIndex]!.name);
  }
});

test('nuisance: distractors or none, at rest or moving; cameras tremble; the light changes or not; all surfaces', () => {
  const share = (what: (plan: (typeof plans)[number]) => boolean) => plans.filter(what).length / plans.length;
  const between = (low: number, value: number, high: number, what: string) =>
    assert.ok(value > low && value < high, `${what}: ${value}`);
  between(
    0.2,
    share(({ nuisance }) => nuisance.distractors.length === 0),
    0.5,
    'without distractors',
  );
  between(
    0.3,
    share(({ nuisance }) => nuisance.distractors.some(({ moves }) => moves)),
    0.8,
    'moving distractors',
  );
  between(
    0.1,
    share(({ nuisance }) => nuisance.distractors.some(({ moves }) => !moves)),
    0.6,
    'resting distractors',
  );
  between(
    0.9,
    share(({ nuisance }) => nuisance.camera.x(0.3) !== nuisance.camera.x(0.4)),
    1.01,
    'shaky cameras',
  );
  between(
    0.3,
    share(({ nuisance }) => Math.abs(nuisance.light(0) - nuisance.light(1.2)) > 0.02),
    0.9,
    'changing light',
  );
  assert.equal(new Set(plans.map(({ nuisance }) => nuisance.surface)).size, 3);
});

test('videos of all classes are taken in the same scenes, and those of the test part in others', () => {
  const looks = ({ background, waves, light }: Scene) =>
    JSON.stringify([background(0), light, waves.map(({ phase, ...wave }) => [wave, phase(0)])]);
  const scenesOf = (part: 'train' | 'test', classIndex: number) =>
    Array.from({ length: 24 }, (_, index) => looks(planDemoVideo({ seed: 1, part, classIndex, index }).scene));
  for (const part of ['train', 'test'] as const) {
    for (const classIndex of demoClasses.keys()) assert.deepEqual(scenesOf(part, classIndex), scenesOf(part, 0));
  }
  assert.equal(new Set([...scenesOf('train', 0), ...scenesOf('test', 0)]).size, 48);
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
  for (const { path, label, split } of entries) {
    const classIndex = demoClasses.findIndex(({ name }) => name === label);
    const { frames, frameRate } = planDemoVideo({ seed: 1, part: split as 'train' | 'test', classIndex, index: 0 });
    const info = await probe(path);
    assert.deepEqual([info.width, info.height], [demoSize, demoSize]);
    assert.ok(Math.abs(info.duration! - frames / frameRate) < 0.02, `${path}: ${info.duration}`);
  }
  const written = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const marker = '.chronotope-demo.json';
  const expected = [...entries.map(({ path }) => path), join(folder, 'captions.jsonl'), join(folder, marker)];
  assert.deepEqual(written.map((entry) => join(entry.parentPath, entry.name)).sort(), expected.sort());

  const kept = statSync(entries[0]!.path).mtimeMs;
  rmSync(entries[1]!.path);
  await writeDemoData(`${folder}/`, options);
  assert.equal(statSync(entries[0]!.path).mtimeMs, kept);
  assert.ok(statSync(entries[1]!.path).size > 0);

  for (const other of [{ seed: 2 }, { trainPerClass: 0 }]) {
    await assert.rejects(writeDemoData(folder, { ...options, ...other }), { code: 'demo-data-differs' });
  }
  const recorded = readFileSync(join(folder, marker), 'utf8');
  writeFileSync(join(folder, marker), JSON.stringify({ ...JSON.parse(recorded), generator: 1 }));
  await assert.rejects(writeDemoData(folder, options), { code: 'demo-data-differs', message: /generator 1/ });
  writeFileSync(join(folder, marker), recorded);
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
