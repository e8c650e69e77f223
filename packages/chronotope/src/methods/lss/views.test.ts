import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scope, zeros } from '@chronotope/torch';
import { lssGlobal, svtGlobal } from '../../augment/presets.js';
import { randomStream } from '../../random.js';
import { tinyLss } from '../../testing/tiny-lss.js';
import { evaluationPlan, trainingPlan, viewsOf } from './views.js';

const video = { frames: 60, timestamps: Array.from({ length: 60 }, (_, k) => k / 20) };
const clipsOf = (overrides: string[] = []) =>
  trainingPlan(tinyLss(overrides)).clips(video, randomStream(1, 'test', 0, 0))!;

test('training sees two global views and as many local ones as asked for, augmented as the recipe says', () => {
  const clips = clipsOf(['augment.globalArea=[0.5, 0.9]', 'augment.localArea=[0.1, 0.2]', 'augment.flip=0.25']);
  const areas = clips.map(({ transform }) => ('randomCrop' in transform ? transform.randomCrop : null));
  assert.deepEqual(
    areas.map((crop) => crop?.kind === 'resized' && crop.area),
    [
      [0.5, 0.9],
      [0.5, 0.9],
      [0.1, 0.2],
      [0.1, 0.2],
    ],
  );
  assert.ok(clips.every(({ transform }) => 'flip' in transform && transform.flip === 0.25));
  const luma = (preset: string) => {
    const { transform } = clipsOf([`augment.preset=${preset}`])[0]!;
    return 'luma' in transform ? transform.luma : null;
  };
  assert.deepEqual([luma('lss'), luma('svt'), luma('none')], [lssGlobal.luma, svtGlobal.luma, null]);
});

test('without augmentation in time all views show the same frames; in space none is cropped at random', () => {
  const [first, ...others] = clipsOf(['clips.sameFrames=true', 'augment.preset=none']);
  for (const { frames, transform } of others) {
    assert.deepEqual(frames, first!.frames);
    assert.ok('position' in transform && transform.position === 'centre');
  }
});

test('tests see clips spread over the video, whole or in three crops', () => {
  const positions = (crops: 1 | 3) =>
    evaluationPlan(tinyLss(), { clips: 2, crops })
      .clips(video, randomStream(1, 'test', 0, 0))!
      .map(({ transform }) => 'position' in transform && transform.position);
  assert.deepEqual(positions(1), ['centre', 'centre']);
  assert.deepEqual(positions(3), ['first', 'middle', 'last', 'first', 'middle', 'last']);
});

test('the views of a batch come in order, the global ones first, whether they are one tensor or many', () => {
  scope(() => {
    const shapes = (batch: Parameters<typeof viewsOf>[0]) => {
      const { globals, all } = viewsOf(batch);
      return [globals, all].map((views) => views.map(({ shape }) => shape.slice(0, 2).join(' ')));
    };
    const clip = [3, 2, 4, 4];
    assert.deepEqual(shapes({ globals: zeros([2, 5, ...clip]), locals: zeros([8, 5, ...clip]) }), [
      ['2 5'],
      ['2 5', '8 5'],
    ]);
    const many = Object.fromEntries(
      ['global-1', 'global-2', 'local-1', 'local-2'].map((name) => [name, zeros([5, ...clip])]),
    );
    assert.deepEqual(shapes(many), [
      ['1 5', '1 5'],
      ['1 5', '1 5', '1 5', '1 5'],
    ]);
  });
});
