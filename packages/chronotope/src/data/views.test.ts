import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testTransform, timebalancePretext, timebalanceTrain } from '../augment/presets.js';
import { randomStream } from '../random.js';
import { type ClipGeometry, type PlannedClip, pretextPlan, similarityPlan, testPlan, trainPlan } from './views.js';

const geometry: ClipGeometry = {
  frames: 4,
  stride: 2,
  globalStride: 2,
  localClips: 2,
  virtualFrames: null,
  shortVideo: 'official',
};

const random = () => randomStream(0, 'clips');

function framesOf(clips: readonly PlannedClip[] | null): number[][] | null {
  return clips?.map(({ frames }) => frames) ?? null;
}

test('both augmentations of a pre-training view show the same frames, and the local clips follow one another', () => {
  const plan = pretextPlan(geometry, timebalancePretext);
  // 8 frames are just the span, so that the clips can only start at 0.
  assert.deepEqual(framesOf(plan.clips({ frames: 8 }, random())), [
    [0, 2, 4, 6],
    [0, 2, 4, 6],
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ]);
  const views = plan.views.map(({ name, shape }) => [name, ...shape]);
  assert.deepEqual(views, [
    ['globals', 2],
    ['locals', 2, 2],
  ]);
});

test('training clips start anywhere in the video, by the random number alone', () => {
  const plan = trainPlan(geometry, timebalanceTrain);
  const starts = Array.from(
    { length: 60 },
    (_, epoch) => plan.clips({ frames: 12 }, randomStream(0, 'clips', epoch))![0]!.frames[0]!,
  );
  assert.deepEqual([...new Set(starts)].sort(), [0, 1, 2, 3]);
  assert.deepEqual(plan.clips({ frames: 12 }, random()), plan.clips({ frames: 12 }, random()));
});

test('a virtual timeline chooses clips on the stretched video', () => {
  // A timeline of just the clip's span, so that it can only start at 0.
  const plan = trainPlan({ ...geometry, virtualFrames: 8, shortVideo: 'stretch' }, timebalanceTrain);
  assert.deepEqual(framesOf(plan.clips({ frames: 4 }, random())), [[0, 1, 2, 3]]);
  assert.deepEqual(framesOf(plan.clips({ frames: 80 }, random())), [[5, 25, 45, 65]]);
});

test('a short video gives null where the official rule rejects it, and clips where it is stretched', () => {
  assert.equal(pretextPlan(geometry, timebalancePretext).clips({ frames: 6 }, random()), null);
  assert.equal(trainPlan(geometry, timebalanceTrain).clips({ frames: 4 }, random()), null);
  const stretched: ClipGeometry = { ...geometry, shortVideo: 'stretch' };
  assert.equal(pretextPlan(stretched, timebalancePretext).clips({ frames: 6 }, random())?.length, 6);
  assert.equal(trainPlan(stretched, timebalanceTrain).clips({ frames: 4 }, random())?.length, 1);
});

test('test clips that the official rule drops are replaced by the ones that exist', () => {
  const plan = testPlan({ ...geometry, frames: 8 }, { clips: 10, transforms: [testTransform] });
  const clips = framesOf(plan.clips({ frames: 12 }, random()))!;
  assert.equal(clips.length, 10);
  assert.ok(clips.flat().every((frame) => frame < 12));
  assert.deepEqual(clips.slice(8), clips.slice(0, 2));
});

test('similarity clips do not overlap when consecutive, and exist for every video', () => {
  const plan = similarityPlan(geometry, { clips: 3, stride: 2, placement: 'consecutive', transform: testTransform });
  assert.deepEqual(framesOf(plan.clips({ frames: 24 }, random())), [
    [0, 2, 4, 6],
    [8, 10, 12, 14],
    [16, 18, 20, 22],
  ]);
  assert.equal(plan.clips({ frames: 1 }, random())?.length, 3);
});
