import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type DecodeOptions, decode } from './decode.js';
import { estimateFrames, planDecode } from './decode-plan.js';
import { encode } from './encode.js';
import {
  ffmpeg,
  frameHashes,
  gradientFrames,
  makeVideos,
  temporaryFolder,
  testPicture,
  twoAtATime,
  videoError,
} from './fixtures.test.helper.js';
import { probe } from './probe.js';
import { bFrames, expected, facts, indexedStructures, otherStructures, x264 } from './structures.test.helper.js';

for (const [kind, recipes, canSeek] of [
  ['with an index of key frames', indexedStructures, true],
  ['without one', otherStructures, false],
] as const) {
  test(`[start, end) gives exactly the frames that decoding everything gives: files ${kind}`, async (t) => {
    const folder = await temporaryFolder(t);
    const names = await makeVideos(folder, recipes, { frames: 45 });
    await twoAtATime(names, async (name) => {
      const path = join(folder, name);
      const info = await probe(path);
      const whole = await decode(path, { info, threads: 1 });
      const selection = { start: whole.timestamps[Math.floor(whole.frames * 0.6)]!, end: 1.5, stride: 2 };
      assert.equal(planDecode(info, selection).canSeek, canSeek, name);
      const part = await decode(path, { info, threads: 1, ...selection });
      assert.deepEqual(facts(part), expected(whole, selection), name);
      assert.ok(part.frames > 2 && part.damage === null, `${name}: ${part.damage?.reason}`);
    });
  });
}

test('an edit list that begins within a group of pictures: the same frames with and without a jump', async (t) => {
  const folder = await temporaryFolder(t);
  const long = join(folder, 'long.mp4');
  await ffmpeg(...testPicture({ frames: 75 }), ...x264, '-g', '10', ...bFrames, long);
  const path = join(folder, 'cut.mp4');
  await ffmpeg('-ss', '0.7', '-i', long, '-c', 'copy', path);
  const whole = await decode(path);
  assert.ok(whole.frames > 50 && whole.frames < 65, `${whole.frames} frames: the edit list hides the others`);
  for (const start of [0.12, 1.5]) {
    assert.deepEqual(facts(await decode(path, { start })), expected(whole, { start }), `${start}`);
  }
});

test('startFrame and stride count frames in the order of presentation', async (t) => {
  const path = join(await temporaryFolder(t), 'a.mp4');
  await ffmpeg(...testPicture({ frames: 40 }), ...x264, ...bFrames, path);
  const whole = await decode(path);
  const part = await decode(path, { startFrame: 5, stride: 4, maxFrames: 6 });
  const chosen = [5, 9, 13, 17, 21, 25];
  assert.deepEqual(
    [...part.timestamps],
    chosen.map((n) => whole.timestamps[n]),
  );
  assert.deepEqual(
    frameHashes(part),
    chosen.map((n) => frameHashes(whole)[n]),
  );
  assert.equal((await decode(path, { startFrame: 39 })).frames, 1);
});

test('a window after the end or between two frames is empty, without an error', async (t) => {
  const path = join(await temporaryFolder(t), 'a.mp4');
  await encode(gradientFrames(20, 16, 16), path, { width: 16, height: 16, fps: 10 });
  for (const window of [{ start: 5 }, { start: 0.41, end: 0.49 }, { startFrame: 20 }]) {
    const { frames, data, damage } = await decode(path, window);
    assert.deepEqual([frames, data.length, damage], [0, 0, null], JSON.stringify(window));
  }
});

test('impossible selections are refused before FFmpeg starts', async (t) => {
  const path = join(await temporaryFolder(t), 'a.mp4');
  await encode(gradientFrames(2, 16, 16), path, { width: 16, height: 16, fps: 10 });
  const info = await probe(path);
  const wrong: DecodeOptions[] = [
    { start: -1 },
    { start: Number.NaN },
    { start: 2, end: 2 },
    { end: 0 },
    { startFrame: 1.5 },
    { stride: 0 },
    { maxFrames: -3 },
    { fps: 0 },
    { fps: Number.POSITIVE_INFINITY },
    { start: 1, startFrame: 3 },
    { fps: 5, stride: 2 },
    { fps: 5, startFrame: 2 },
    { shortSide: 8, size: { width: 8, height: 8 } },
    { size: { width: 0, height: 8 } },
  ];
  for (const selection of wrong) {
    await assert.rejects(
      decode(path, { info, ...selection }),
      videoError('invalid-argument'),
      JSON.stringify(selection),
    );
  }
});

test('the expected number of frames follows from header and selection', async (t) => {
  const path = join(await temporaryFolder(t), 'a.mp4');
  await encode(gradientFrames(40, 16, 16), path, { width: 16, height: 16, fps: 20 });
  const info = await probe(path);
  for (const selection of [
    {},
    { start: 0.5 },
    { end: 0.5, stride: 3 },
    { startFrame: 7 },
    { fps: 5 },
    { maxFrames: 3 },
  ]) {
    const { frames } = await decode(path, { info, ...selection });
    assert.equal(estimateFrames(info, selection), frames, JSON.stringify(selection));
  }
});
