import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type SegmentViewMode, segmentTestClip, segmentViews } from './segments.js';

interface Golden {
  ssl_views: {
    mode: 'default' | 'rand_fr' | 'two_token';
    decoded_frames: number;
    num_frames: number;
    randint_calls_low_high_value: [low: number, high: number, value: number][];
    views: number[][];
  }[];
  eval_clip: {
    decoded_frames: number;
    fps: number;
    sampling_rate: number;
    num_frames: number;
    clip_idx: number;
    num_clips: number;
    indices: number[];
  }[];
  get_start_end_idx: {
    video_size: number;
    clip_size: number;
    clip_idx: number;
    num_clips: number;
    start_idx: number;
    end_idx: number;
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../golden/segment_sampling.json', import.meta.url), 'utf8'),
) as Golden;

const MODES: Record<string, SegmentViewMode> = {
  default: 'standard',
  rand_fr: 'varying-frame-rate',
  two_token: 'two-token',
};

test("global and local views equal SVT's, in all three modes, for long and short segments", () => {
  assert.equal(golden.ssl_views.length, 4);
  for (const { mode, decoded_frames: frameCount, num_frames: clipFrames, views, ...rest } of golden.ssl_views) {
    const uniforms = rest.randint_calls_low_high_value.map(
      ([low, high, value]) => (value - low + 0.5) / (high - low + 1),
    );
    const globals = mode === 'two_token' ? uniforms.slice(0, 3) : [];
    const draw = { start: 0.4, globals, locals: uniforms.slice(globals.length) };
    const actual = segmentViews({ frameCount, clipFrames, segmentFrames: frameCount, draw, mode: MODES[mode]! });
    assert.deepEqual([...actual!.globals, ...actual!.locals], views, mode);
  }
});

test("test clips equal SVT's: starts that never reach the end, the last frame repeated in short videos", () => {
  assert.equal(golden.eval_clip.length, 4);
  for (const { decoded_frames: frameCount, num_frames: clipFrames, sampling_rate, fps, ...rest } of golden.eval_clip) {
    const segmentFrames = ((sampling_rate * clipFrames) / 30) * fps;
    const clip = segmentTestClip({
      frameCount,
      clipFrames,
      segmentFrames,
      clip: rest.clip_idx,
      clips: rest.num_clips,
    });
    assert.deepEqual(clip, rest.indices);
  }
  // Two frames of a clip show its segment's ends.
  for (const { video_size: frameCount, clip_size: segmentFrames, ...rest } of golden.get_start_end_idx) {
    const clip = segmentTestClip({
      frameCount,
      clipFrames: 2,
      segmentFrames,
      clip: rest.clip_idx,
      clips: rest.num_clips,
    });
    const ends = [rest.start_idx, rest.end_idx].map((end) => Math.min(Math.floor(end), frameCount - 1));
    assert.deepEqual(clip, ends);
  }
});

test('a segment lies anywhere in a longer video, and its local views anywhere in it', () => {
  const starts = new Set<number>();
  for (let k = 0; k < 50; k++) {
    const locals = Array.from({ length: 8 }, (_, view) => ((k + view) % 50) / 50);
    const views = segmentViews({ frameCount: 300, draw: { start: k / 50, locals } })!;
    const all = [...views.globals, ...views.locals].flat();
    assert.ok(all.every((index) => index >= 0 && index < 300));
    starts.add(views.globals[0]![0]!);
    const span = views.globals[1]!.at(-1)! - views.globals[0]![0]!;
    assert.equal(span, 255);
  }
  assert.deepEqual([Math.min(...starts), Math.max(...starts)], [0, 44]);
});
