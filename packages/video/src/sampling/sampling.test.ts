import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { denseTestClips } from './dense-clips.js';
import { consecutiveSurvivors, queryAndCandidates, spacedPositions } from './related-frames.js';
import { frameAt, timelineAtRate } from './time.js';

test("dense test clips equal AVID-CMA's, also for videos no longer than a clip", () => {
  const { clip_split: cases } = JSON.parse(
    readFileSync(new URL('../../golden/dense_clips.json', import.meta.url), 'utf8'),
  ) as {
    clip_split: {
      n_frames: number;
      clip_length: number;
      clips_per_video: number;
      first_frame_of_clip: number[];
      last_frame_of_clip: number[];
    }[];
  };
  assert.equal(cases.length, 6);
  for (const one of cases) {
    const { n_frames: frameCount, clip_length: clipFrames, clips_per_video: count } = one;
    const clips = denseTestClips({ frameCount, clipFrames, clips: count })!;
    assert.deepEqual(
      clips.map((clip) => clip[0]),
      one.first_frame_of_clip,
    );
    if (frameCount < clipFrames) continue;
    assert.deepEqual(
      clips.map((clip) => clip.at(-1)),
      one.last_frame_of_clip,
    );
  }
});

test('a constant frame rate: twice the rate repeats frames, half of it leaves every other one out', () => {
  const timestamps = Array.from({ length: 10 }, (_, k) => 7.5 + k / 25);
  assert.deepEqual(
    timelineAtRate(timestamps, 25),
    timestamps.map((_, k) => k),
  );
  assert.deepEqual(timelineAtRate(timestamps, 12.5), [0, 2, 4, 6, 8]);
  assert.deepEqual(timelineAtRate(timestamps, 50).slice(0, 6), [0, 0, 1, 1, 2, 2]);
  // 29.97 written with the ticks of a 90 kHz clock.
  const ntsc = Array.from({ length: 300 }, (_, k) => Math.round((k * 90000 * 1001) / 30000) / 90000);
  assert.deepEqual(
    timelineAtRate(ntsc, 30000 / 1001),
    ntsc.map((_, k) => k),
  );
});

test('a variable frame rate: a frame is shown for as long as it lasts', () => {
  // One second at 10 frames a second, one second of a still, then 10 a second again.
  const timestamps = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.9, 2, 2.1];
  const timeline = timelineAtRate(timestamps, 10);
  assert.deepEqual(timeline.slice(0, 10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.ok(timeline.slice(10, 19).every((frame) => frame === 9));
  assert.deepEqual(timeline.slice(19, 22), [10, 11, 12]);
  assert.deepEqual(timelineAtRate([3], 30), [0]);
  assert.throws(() => timelineAtRate([], 30), RangeError);
  assert.throws(() => timelineAtRate([0], 0), RangeError);
});

test('any timestamps: a timeline never goes back, and shows the last frame that is due', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 60 }), (milliseconds, fps) => {
      let time = 0;
      const timestamps = [0, ...milliseconds.map((gap) => (time += gap / 1000))];
      const timeline = timelineAtRate(timestamps, fps);
      timeline.forEach((frame, k) => {
        assert.equal(frame, frameAt(timestamps, k / fps));
        const due = timestamps.filter((at) => at <= k / fps + 1e-4).length - 1;
        assert.equal(frame, Math.max(0, due));
        assert.ok(k === 0 || frame >= timeline[k - 1]!);
      });
    }),
  );
});

test('related frames: every 150th, at most ten, from a random start only where the video is longer', () => {
  const frames = (length: number, uniform: number) => spacedPositions({ length, uniform, spacing: 150 });
  assert.deepEqual(frames(700, 0.9), { positions: [0, 150, 300, 450, 600], spacing: 150 });
  assert.deepEqual(frames(1500, 0.9).positions.length, 10);
  const long = frames(2500, 0.5);
  assert.deepEqual([long.positions[0], long.positions.at(-1), long.positions.length], [500, 1850, 10]);
  // Too short for four: the spacing shrinks to a quarter of the video.
  assert.deepEqual(frames(300, 0.9), { positions: [0, 75, 150, 225], spacing: 75 });
  // In seconds.
  assert.deepEqual(spacedPositions({ length: 12, uniform: 0, spacing: 5 }), { positions: [0, 3, 6, 9], spacing: 3 });
});

test('survivors are consecutive, from a random one on', () => {
  assert.deepEqual(consecutiveSurvivors([2, 3, 5, 7, 11, 13], { uniform: 0.99 }), [5, 7, 11, 13]);
  assert.deepEqual(consecutiveSurvivors([2, 3, 5], { uniform: 0.99 }), [2, 3, 5]);
});

test('candidates differ from one another but not from the query; all frames come with the query first', () => {
  const frames = fc.integer({ min: 1, max: 8 });
  const uniform = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(frames, frames, fc.array(uniform, { minLength: 9, maxLength: 9 }), (frameCount, wanted, uniforms) => {
      const candidates = Math.min(wanted, frameCount);
      const drawn = queryAndCandidates({ frameCount, candidates, uniforms });
      assert.equal(new Set(drawn.candidates).size, candidates);
      assert.ok([drawn.query, ...drawn.candidates].every((frame) => frame >= 0 && frame < frameCount));
    }),
  );
  assert.deepEqual(queryAndCandidates({ frameCount: 4, candidates: 'all', uniforms: [0.6] }), {
    query: 2,
    candidates: [2, 0, 1, 3],
  });
  assert.throws(() => queryAndCandidates({ frameCount: 2, candidates: 3, uniforms: [0, 0, 0, 0] }), RangeError);
  // In a quarter of four frames the positive is the query's own frame.
  const same = Array.from({ length: 400 }, (_, k) =>
    queryAndCandidates({ frameCount: 4, candidates: 1, uniforms: [(k % 20) / 20, Math.floor(k / 20) / 20] }),
  ).filter(({ query, candidates }) => candidates[0] === query);
  assert.equal(same.length, 100);
});
