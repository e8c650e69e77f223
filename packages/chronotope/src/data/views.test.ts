import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  mocoV2,
  svtGlobal,
  svtLocal,
  svtTest,
  testTransform,
  timebalancePretext,
  timebalanceTrain,
} from '../augment/presets.js';
import { ChronotopeError } from '../errors.js';
import { randomStream } from '../random.js';
import { shortClips as geometry } from '../testing/stored-clips.js';
import {
  type ClipGeometry,
  type PlannedClip,
  pretextPlan,
  relatedFramesPlan,
  segmentPlan,
  similarityPlan,
  testPlan,
  trainPlan,
  twoViewsPlan,
} from './views.js';

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

test('two views show the frames of one training clip, each in its augmentation', () => {
  const plan = twoViewsPlan(geometry, { weak: timebalanceTrain, strong: timebalancePretext });
  const clips = plan.clips({ frames: 40 }, random())!;
  const [single] = trainPlan(geometry, timebalanceTrain).clips({ frames: 40 }, random())!;
  assert.deepEqual(framesOf(clips), [single!.frames, single!.frames]);
  assert.deepEqual(
    clips.map(({ transform }) => transform),
    [timebalanceTrain, timebalancePretext],
  );
  assert.deepEqual(
    plan.views.map(({ name }) => name),
    ['weak', 'strong'],
  );
  assert.equal(
    plan.clips({ frames: 3 }, random()),
    trainPlan(geometry, timebalanceTrain).clips({ frames: 3 }, random()),
  );
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

test('three crops of every test clip come one after another', () => {
  const transforms = (['first', 'middle', 'last'] as const).map(svtTest);
  const plan = testPlan({ ...geometry, shortVideo: 'stretch' }, { clips: 2, transforms });
  assert.deepEqual(plan.views, [{ name: 'clips', shape: [6] }]);
  const clips = plan.clips({ frames: 20 }, random())!;
  assert.deepEqual(
    clips.map(({ frames, transform }) => [frames[0], 'position' in transform && transform.position]),
    [
      [0, 'first'],
      [0, 'middle'],
      [0, 'last'],
      [12, 'first'],
      [12, 'middle'],
      [12, 'last'],
    ],
  );
});

test('segment views: two globals over the segment and eight locals over an eighth of it, or views of many lengths', () => {
  const segment = { frames: 8, segmentFrames: 64, shortVideo: 'official', virtualFrames: null } as const;
  const transforms = { globalTransform: svtGlobal, localTransform: svtLocal, localSize: 96 };
  const standard = segmentPlan(segment, { mode: 'standard', ...transforms });
  assert.deepEqual(
    standard.views.map(({ name, shape, size }) => [name, shape, size]),
    [
      ['globals', [2], undefined],
      ['locals', [8], 96],
    ],
  );
  const clips = standard.clips({ frames: 100 }, random())!;
  assert.equal(clips.length, 10);
  clips.forEach(({ frames, transform }, k) => {
    assert.equal(transform, k < 2 ? svtGlobal : svtLocal);
    assert.equal(frames.length, 8);
    const extent = frames.at(-1)! - frames[0]!;
    assert.ok(k < 2 ? extent >= 57 : extent <= 8, `${frames}`);
  });
  const varying = segmentPlan(segment, { mode: 'varying-frame-rate', ...transforms });
  assert.deepEqual(
    framesOf(varying.clips({ frames: 100 }, random()))!.map(({ length }) => length),
    [4, 8, 2, 2, 4, 4, 8, 8, 16, 16],
  );
  assert.deepEqual(varying.views.map(({ name }) => name).slice(0, 3), ['global-1', 'global-2', 'local-1']);
});

test('segment views: any number of local views, and all views with the frames of one', () => {
  const segment = { frames: 8, segmentFrames: 64, shortVideo: 'official', virtualFrames: null } as const;
  const options = { mode: 'standard', globalTransform: svtGlobal, localTransform: svtLocal, localSize: 96 } as const;
  for (const localViews of [0, 3]) {
    const plan = segmentPlan(segment, { ...options, localViews });
    assert.equal(plan.views.length, localViews === 0 ? 1 : 2);
    assert.equal(plan.clips({ frames: 100 }, random())!.length, 2 + localViews);
  }
  const frames = framesOf(segmentPlan(segment, { ...options, sameFrames: true }).clips({ frames: 100 }, random()))!;
  for (const clip of frames) assert.deepEqual(clip, frames[0]);
});

test('related frames: two augmentations of one frame and candidates, five seconds apart by time', () => {
  const timestamps = Array.from({ length: 400 }, (_, k) => k / 10);
  const options = { framesPerVideo: 4, spacingSeconds: 5, candidates: 2 };
  const plan = relatedFramesPlan(options, mocoV2);
  for (let epoch = 0; epoch < 20; epoch++) {
    const clips = framesOf(plan.clips({ frames: 400, timestamps }, randomStream(0, 'clips', epoch)))!;
    assert.equal(clips.length, 4);
    assert.deepEqual(clips[0], clips[1]);
    const gaps = clips.slice(2).map(([frame]) => Math.abs(frame! - clips[0]![0]!));
    assert.ok(
      gaps.every((gap) => gap % 50 === 0 && gap <= 150),
      `${gaps}`,
    );
    assert.notDeepEqual(clips[2], clips[3]);
  }
  const stored = relatedFramesPlan({ ...options, spacingSeconds: null, candidates: 'all' }, mocoV2);
  const all = framesOf(stored.clips({ frames: 4 }, random()))!.map(([frame]) => frame!);
  assert.deepEqual(all.slice(2).sort(), [0, 1, 2, 3]);
  assert.equal(all[2], all[0]);
  assert.equal(stored.clips({ frames: 3 }, random()), null);
});

test('clips by time are equally long whatever the frame rate, and refuse to guess it', () => {
  const byTime: ClipGeometry = { ...geometry, fps: 10, shortVideo: 'repeat-last' };
  const plan = testPlan(byTime, { clips: 1, transforms: [testTransform] });
  const seconds = (rate: number): number => {
    const timestamps = Array.from({ length: 2 * rate }, (_, k) => k / rate);
    const [clip] = framesOf(plan.clips({ frames: timestamps.length, timestamps }, random()))!;
    return timestamps[clip!.at(-1)!]! - timestamps[clip![0]!]!;
  };
  assert.deepEqual([seconds(10), seconds(20), seconds(50)], [0.6, 0.6, 0.6]);
  assert.throws(
    () => plan.clips({ frames: 20 }, random()),
    (error) => error instanceof ChronotopeError && error.code === 'no-timestamps',
  );
});
