import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { detailedFrames, distinctFrames, edgeShares, type FrameBatch, withoutBorder } from './frame-filters.js';

type Frames = number[][][][];

const golden = JSON.parse(readFileSync(new URL('../golden/frame_filters.json', import.meta.url), 'utf8')) as {
  similar: { frames: Frames; kept_indices: number[] }[];
  border: { case: string; frames: Frames; crop_x0_x1_y0_y1: [number, number, number, number] }[];
  laplacian: { frames: Frames; score_per_frame: number[]; kept_indices: number[] }[];
};

function batch(frames: Frames): FrameBatch {
  return {
    data: Uint8Array.from(frames.flat(3)),
    frames: frames.length,
    height: frames[0]!.length,
    width: frames[0]![0]!.length,
  };
}

test("near-duplicates are the published code's", () => {
  assert.equal(golden.similar.length, 3);
  for (const { frames, kept_indices } of golden.similar) assert.deepEqual(distinctFrames(batch(frames)), kept_indices);
});

test('borders are found on any side; the published code loses the last row or column', () => {
  assert.equal(golden.border.length, 5);
  for (const { case: name, frames, crop_x0_x1_y0_y1: expected } of golden.border) {
    const { top, bottom, left, right } = withoutBorder(batch(frames), { official: true });
    assert.deepEqual([left, right, top, bottom], expected, name);
  }
  const onlyTop = golden.border.find(({ case: name }) => name === '3x10x12_t2b0l0r0')!;
  assert.deepEqual(withoutBorder(batch(onlyTop.frames)), { top: 2, bottom: 10, left: 0, right: 12 });
  const black = { data: new Uint8Array(2 * 4 * 5 * 3), frames: 2, height: 4, width: 5 };
  assert.deepEqual(withoutBorder(black), { top: 0, bottom: 4, left: 0, right: 5 });
});

test('title cards are the frames with few edges', () => {
  for (const { frames, score_per_frame, kept_indices } of golden.laplacian) {
    edgeShares(batch(frames)).forEach((share, frame) => {
      assert.ok(Math.abs(share - score_per_frame[frame]!) < 1e-6, `${frame}: ${share} ${score_per_frame[frame]}`);
    });
    assert.deepEqual(detailedFrames(batch(frames)), kept_indices);
  }
});
