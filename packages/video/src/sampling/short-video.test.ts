import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VideoError } from '../errors.js';
import { pretextClips, testClips, trainClip } from './clips.js';
import { denseTestClips } from './dense-clips.js';
import { segmentTestClip, segmentViews } from './segments.js';
import { extendedTimeline, SHORT_VIDEO_POLICIES, type ShortVideoPolicy } from './short-video.js';

test('three frames for a span of eight, by each policy', () => {
  assert.deepEqual(extendedTimeline('stretch', 3, 8), [0, 0, 0, 1, 1, 2, 2, 2]);
  assert.deepEqual(extendedTimeline('repeat-last', 3, 8), [0, 1, 2, 2, 2, 2, 2, 2]);
  assert.deepEqual(extendedTimeline('loop', 3, 8), [0, 1, 2, 0, 1, 2, 0, 1]);
  assert.deepEqual(extendedTimeline('mirror', 3, 8), [0, 1, 2, 1, 0, 1, 2, 1]);
  assert.equal(extendedTimeline('reject', 3, 8), null);
  assert.throws(
    () => extendedTimeline('error', 3, 8),
    (error) => error instanceof VideoError && error.code === 'too-short' && /3 frames.*spans 8/.test(error.reason),
  );
});

test('a video that is long enough is left as it is, by every policy; a single frame can only be repeated', () => {
  for (const policy of SHORT_VIDEO_POLICIES) {
    if (policy !== 'official') assert.deepEqual(extendedTimeline(policy, 4, 4), [0, 1, 2, 3]);
  }
  for (const policy of ['repeat-last', 'loop', 'mirror'] as const) {
    assert.deepEqual(extendedTimeline(policy, 1, 3), [0, 0, 0]);
  }
  assert.equal(extendedTimeline('stretch', 1, 3), null);
});

/** Every sampler on a video of 5 frames with clips of 4 frames that span 8. */
const SAMPLERS: Record<string, (shortVideo: ShortVideoPolicy) => unknown> = {
  train: (shortVideo) => trainClip({ frameCount: 5, uniform: 0.9, clipFrames: 4, shortVideo }),
  test: (shortVideo) => testClips({ frameCount: 5, clipFrames: 4, clips: 2, shortVideo }),
  pretext: (shortVideo) =>
    pretextClips({ frameCount: 5, uniform: 0.9, clipFrames: 4, globalStride: 2, localClips: 2, shortVideo }),
  dense: (shortVideo) => denseTestClips({ frameCount: 5, clipFrames: 8, clips: 2, shortVideo }),
  segment: (shortVideo) =>
    segmentTestClip({ frameCount: 5, clip: 0, clips: 1, clipFrames: 4, segmentFrames: 8, shortVideo }),
  views: (shortVideo) =>
    segmentViews({ frameCount: 5, draw: { start: 0, locals: [0.5] }, clipFrames: 4, segmentFrames: 8, shortVideo }),
};

const EXPECTED: Record<string, Partial<Record<ShortVideoPolicy, unknown>>> = {
  train: {
    official: [0, 1, 2, 3],
    stretch: [0, 1, 2, 4],
    'repeat-last': [0, 2, 4, 4],
    loop: [0, 2, 4, 1],
    mirror: [0, 2, 4, 2],
    reject: null,
  },
  test: {
    official: [
      [0, 1, 2, 3],
      [1, 2, 3, 4],
    ],
    stretch: [
      [0, 1, 2, 4],
      [0, 2, 3, 4],
    ],
    'repeat-last': [
      [0, 2, 4, 4],
      [1, 3, 4, 4],
    ],
    loop: [
      [0, 2, 4, 1],
      [1, 3, 0, 2],
    ],
    mirror: [
      [0, 2, 4, 2],
      [1, 3, 3, 1],
    ],
    reject: [null, null],
  },
  pretext: {
    official: null,
    stretch: {
      global: [0, 1, 2, 4],
      locals: [
        [0, 0, 1, 2],
        [2, 3, 4, 4],
      ],
    },
    'repeat-last': {
      global: [0, 2, 4, 4],
      locals: [
        [0, 1, 2, 3],
        [4, 4, 4, 4],
      ],
    },
    loop: {
      global: [0, 2, 4, 1],
      locals: [
        [0, 1, 2, 3],
        [4, 0, 1, 2],
      ],
    },
    mirror: {
      global: [0, 2, 4, 2],
      locals: [
        [0, 1, 2, 3],
        [4, 3, 2, 1],
      ],
    },
    reject: null,
  },
  dense: {
    official: [
      [0, 1, 2, 3, 4, 0, 1, 2],
      [0, 1, 2, 3, 4, 0, 1, 2],
    ],
    mirror: [
      [0, 1, 2, 3, 4, 3, 2, 1],
      [0, 1, 2, 3, 4, 3, 2, 1],
    ],
    reject: null,
  },
  segment: {
    official: [0, 2, 4, 4],
    stretch: [0, 1, 2, 4],
    'repeat-last': [0, 2, 4, 4],
    loop: [0, 2, 4, 2],
    mirror: [0, 2, 4, 1],
    reject: null,
  },
  views: {
    // A segment of 5: 0 to 0 and 5 to 5 (past the end), local views of no extent.
    official: {
      globals: [
        [0, 0, 0, 0],
        [4, 4, 4, 4],
      ],
      locals: [[2, 2, 2, 2]],
    },
    loop: {
      globals: [
        [0, 1, 2, 3],
        [0, 1, 2, 2],
      ],
      locals: [[3, 3, 3, 4]],
    },
    reject: null,
  },
};

for (const [name, sample] of Object.entries(SAMPLERS)) {
  test(`short videos, ${name}: each policy does what its name says`, () => {
    for (const [policy, expected] of Object.entries(EXPECTED[name]!)) {
      assert.deepEqual(sample(policy as ShortVideoPolicy), expected, policy);
    }
    assert.throws(
      () => sample('error'),
      (error) => error instanceof VideoError && error.code === 'too-short',
    );
  });
}
