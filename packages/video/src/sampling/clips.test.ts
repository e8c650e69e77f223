import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { pretextClips, similarityClips, testClips, trainClip } from './clips.js';
import { normalisedTimeline, type ShortVideoPolicy } from './short-video.js';

interface Golden {
  ssl: { frame_count: number; rejected: boolean; start?: number; sparse?: number[]; dense?: number[][] }[];
  train: {
    frame_count: number;
    num_frames: number;
    fix_skip: number;
    rejected?: boolean;
    start?: number;
    indices?: number[];
  }[];
  val: {
    frame_count: number;
    num_frames: number;
    fix_skip: number;
    num_modes: number;
    indices_by_mode: (number[] | null)[];
  }[];
}

const golden = JSON.parse(readFileSync(new URL('../../golden/clip_sampling.json', import.meta.url), 'utf8')) as Golden;

/** A number from [0, 1) that makes a uniform draw from [0, room) give `start`. */
const uniformFor = (start: number, room: number): number => (start + 0.5) / Math.max(1, room);

test('pretext clips equal the official ones, also for short videos', () => {
  assert.ok(golden.ssl.length > 10);
  for (const { frame_count: frameCount, rejected, start = 0, sparse, dense } of golden.ssl) {
    const clips = pretextClips({ frameCount, uniform: uniformFor(start, frameCount - 64) });
    assert.deepEqual(clips, rejected ? null : { global: sparse, locals: dense }, `${frameCount} frames`);
  }
});

test('training clips equal the official ones, also for short videos', () => {
  assert.ok(golden.train.length > 10);
  for (const { frame_count: frameCount, num_frames: clipFrames, fix_skip: stride, ...expected } of golden.train) {
    const span = clipFrames * stride;
    const room = frameCount > span ? frameCount - span : frameCount - clipFrames * Math.trunc(stride / 2);
    const clip = trainClip({ frameCount, clipFrames, stride, uniform: uniformFor(expected.start ?? 0, room) });
    assert.deepEqual(clip, expected.rejected ? null : expected.indices, `${frameCount} frames`);
  }
});

test('test clips equal the official ones, with reflected, repeated and dropped clips of short videos', () => {
  assert.ok(golden.val.length > 10);
  for (const { frame_count: frameCount, num_frames: clipFrames, fix_skip: stride, num_modes, ...rest } of golden.val) {
    const clips = testClips({ frameCount, clipFrames, stride, clips: num_modes });
    assert.deepEqual(clips, rest.indices_by_mode, `${frameCount} frames`);
  }
});

const uniforms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const frameCounts = fc.integer({ min: 1, max: 400 });
const policies = fc.constantFrom<ShortVideoPolicy>('official', 'stretch');

function assertInRange(clip: number[], frameCount: number, length: number): void {
  assert.equal(clip.length, length);
  assert.ok(clip.every((index) => Number.isInteger(index) && index >= 0 && index < frameCount));
}

function assertNonDecreasing(clip: number[]): void {
  assert.ok(
    clip.every((index, i) => i === 0 || index >= clip[i - 1]!),
    `${clip}`,
  );
}

test('pretext clips stay inside the video; local clips and slices of the global clip cover the same frames', () => {
  const settings = fc.record({
    frameCount: frameCounts,
    uniform: uniforms,
    clipFrames: fc.constantFrom(4, 8, 16),
    localClips: fc.constantFrom(1, 2, 4),
    strideFactor: fc.constantFrom(1, 2),
    shortVideo: policies,
  });
  fc.assert(
    fc.property(settings, ({ strideFactor, ...rest }) => {
      const globalStride = rest.localClips * strideFactor;
      const clips = pretextClips({ ...rest, globalStride });
      assert.deepEqual(clips, pretextClips({ ...rest, globalStride }), 'the same draw gives the same clips');
      const { frameCount, clipFrames, localClips, shortVideo } = rest;
      const span = clipFrames * globalStride;
      if (frameCount >= span || (shortVideo === 'stretch' && frameCount >= 2)) assert.notEqual(clips, null);
      if (clips === null) return;
      for (const clip of [clips.global, ...clips.locals]) assertInRange(clip, frameCount, clipFrames);
      if (frameCount < span && shortVideo === 'official') return;
      for (const clip of [clips.global, clips.locals.flat()]) assertNonDecreasing(clip);
      const sliceFrames = clipFrames / localClips;
      if (!Number.isInteger(sliceFrames)) return;
      for (let j = 0; j < localClips; j++) {
        const slice = clips.global.slice(j * sliceFrames, (j + 1) * sliceFrames);
        assert.equal(slice[0], clips.locals[j]![0]);
        assert.ok(slice.every((index) => clips.locals[j]!.includes(index)));
      }
    }),
  );
});

test('the random start reaches the first and the last possible frame, evenly', () => {
  const starts = Array.from(
    { length: 1000 },
    (_, i) => pretextClips({ frameCount: 74, uniform: i / 1000 })!.global[0]!,
  );
  assert.deepEqual([...new Set(starts)], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(starts.filter((start) => start === 3).length, 100);
});

test('training, test and similarity clips stay inside the video and keep the order of time', () => {
  const settings = fc.record({
    frameCount: frameCounts,
    clipFrames: fc.integer({ min: 1, max: 16 }),
    stride: fc.integer({ min: 1, max: 6 }),
  });
  fc.assert(
    fc.property(settings, uniforms, policies, fc.integer({ min: 1, max: 12 }), (shape, uniform, shortVideo, clips) => {
      const { frameCount, clipFrames, stride } = shape;
      const train = trainClip({ ...shape, uniform, shortVideo });
      const test = testClips({ ...shape, clips, shortVideo });
      const spread = similarityClips({ ...shape, clips });
      const consecutive = similarityClips({ ...shape, clips, placement: 'consecutive' });
      assert.deepEqual([test.length, spread.length, consecutive.length], [clips, clips, clips]);
      if (shortVideo === 'stretch' && frameCount >= 2) assert.ok([train, ...test].every((clip) => clip !== null));
      for (const clip of [train, ...test, ...spread, ...consecutive]) {
        if (clip !== null) assertInRange(clip, frameCount, clipFrames);
      }
      const reflected = shortVideo === 'official' && frameCount < clipFrames * stride + 10 + clips;
      const ordered = [train, ...(reflected ? [] : test), ...spread];
      for (const clip of ordered) if (clip !== null) assertNonDecreasing(clip);
      assertNonDecreasing(consecutive.flat());
    }),
  );
});

test('stretch spreads a clip over a short video from its beginning to its end', () => {
  assert.deepEqual(trainClip({ frameCount: 2, uniform: 0.9, shortVideo: 'stretch' }), [0, 0, 0, 0, 1, 1, 1, 1]);
  const clips = pretextClips({ frameCount: 32, uniform: 0.9, shortVideo: 'stretch' })!;
  assert.deepEqual(clips.global, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30]);
  assert.deepEqual(clips.locals.at(-1), [24, 24, 25, 25, 26, 26, 27, 27, 28, 28, 29, 29, 30, 30, 31, 31]);
  assert.equal(pretextClips({ frameCount: 1, uniform: 0, shortVideo: 'stretch' }), null);
  assert.equal(trainClip({ frameCount: 1, uniform: 0, shortVideo: 'stretch' }), null);
});

test('similarity clips: spread ones reach both ends, consecutive ones follow one another without a gap', () => {
  const spread = similarityClips({ frameCount: 100, clips: 4 });
  assert.deepEqual(
    spread.map((clip) => clip[0]),
    [0, 28, 56, 84],
  );
  assert.equal(spread.at(-1)!.at(-1), 98);
  const consecutive = similarityClips({ frameCount: 70, clipFrames: 16, stride: 1, placement: 'consecutive' });
  assert.deepEqual(
    consecutive.flat(),
    Array.from({ length: 64 }, (_, i) => i + 3),
  );
  assert.deepEqual(similarityClips({ frameCount: 1, clips: 2, clipFrames: 2 }), [
    [0, 0],
    [0, 0],
  ]);
});

test('a normalised timeline shows every part of the video equally long', () => {
  assert.deepEqual(normalisedTimeline(3, 6), [0, 0, 1, 1, 2, 2]);
  assert.deepEqual(normalisedTimeline(6, 3), [1, 3, 5]);
  fc.assert(
    fc.property(frameCounts, fc.integer({ min: 1, max: 400 }), (frameCount, virtualFrames) => {
      const timeline = normalisedTimeline(frameCount, virtualFrames);
      assertInRange(timeline, frameCount, virtualFrames);
      assertNonDecreasing(timeline);
      if (frameCount === virtualFrames) assert.ok(timeline.every((index, i) => index === i));
      const shown = Array.from({ length: frameCount }, (_, k) => timeline.filter((index) => index === k).length);
      assert.ok(Math.max(...shown) - Math.min(...shown) <= 1);
    }),
  );
});

test('impossible settings are refused by name', () => {
  assert.throws(() => pretextClips({ frameCount: 99, uniform: 0, globalStride: 3 }), /globalStride \(3\).*localClips/);
  assert.throws(() => trainClip({ frameCount: 99, uniform: 1 }), /uniform/);
  assert.throws(() => testClips({ frameCount: 99, clips: 0 }), /clips/);
});
