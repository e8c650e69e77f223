import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomStream } from '../random.js';
import type { Box, ClipAugmentation, Step } from './clip-augmentation.js';
import { drawTransform } from './draw.js';
import {
  clipPreprocess,
  mocoV1,
  mocoV2,
  PRESETS,
  svtGlobal,
  svtLocal,
  svtProbeTrain,
  svtTest,
  tclrPretext,
  testTransform,
  timebalancePretext,
  timebalanceTrain,
} from './presets.js';
import type { Transform } from './settings.js';

const source = { height: 30, width: 40 };

function draws(settings: Transform, count: number): ClipAugmentation[] {
  return Array.from({ length: count }, (_, sample) =>
    drawTransform(settings, source, 24, randomStream(1, 'augment', 0, sample)),
  );
}

const kinds = ({ steps }: ClipAugmentation): Step['kind'][] => steps.map(({ kind }) => kind);
const has =
  (kind: Step['kind']) =>
  (clip: ClipAugmentation): boolean =>
    kinds(clip).includes(kind);
const value = ({ steps }: ClipAugmentation, kind: Step['kind']): number | undefined => {
  const step = steps.find((one) => one.kind === kind);
  return step !== undefined && 'value' in step ? step.value : undefined;
};
const erased = ({ steps }: ClipAugmentation): readonly Box[] =>
  steps.flatMap((step) => (step.kind === 'erase' ? step.boxes : []));

/** Contrast before every other step that changes colours, or after them. */
const contrastAt =
  (place: 'early' | 'late') =>
  (clip: ClipAugmentation): boolean => {
    const colours = kinds(clip).filter((kind) => ['hue', 'saturation', 'brightness', 'contrast'].includes(kind));
    return colours.length > 1 && colours.at(place === 'early' ? 0 : -1) === 'contrast';
  };

function assertShare(
  clips: readonly ClipAugmentation[],
  holds: (clip: ClipAugmentation) => boolean,
  expected: number,
  what: string,
): void {
  const actual = clips.filter(holds).length / clips.length;
  // Four standard errors of a share of 4000 draws at most.
  assert.ok(Math.abs(actual - expected) < 0.032, `${what}: ${actual} instead of ${expected}`);
}

test('the same key draws the same augmentation, any other key another one', () => {
  for (const preset of [timebalancePretext, mocoV2]) {
    const draw = (...key: number[]): ClipAugmentation =>
      drawTransform(preset, source, 24, randomStream(7, 'augment', ...key));
    assert.deepEqual(draw(1, 2, 3), draw(1, 2, 3));
    for (const other of [draw(0, 2, 3), draw(1, 0, 3), draw(1, 2, 0)]) assert.notDeepEqual(other, draw(1, 2, 3));
  }
});

test('whatever the preset and the sizes: crops lie inside the frame, outputs inside the canvas', () => {
  const side = fc.integer({ min: 1, max: 400 });
  const preset = fc.constantFrom(...Object.values<Transform>(PRESETS));
  fc.assert(
    fc.property(preset, side, side, side, fc.nat(), (transform, height, width, size, seed) => {
      const clip = drawTransform(transform, { height, width }, size, randomStream(seed, 'augment'));
      const { crop, canvas } = clip;
      assert.ok(crop.height >= 1 && crop.width >= 1 && crop.top >= 0 && crop.left >= 0);
      assert.ok(crop.top + crop.height <= height && crop.left + crop.width <= width);
      assert.ok(canvas.top >= 0 && canvas.top + size <= canvas.height, `${JSON.stringify(canvas)} ${size}`);
      assert.ok(canvas.left >= 0 && canvas.left + size <= canvas.width, `${JSON.stringify(canvas)} ${size}`);
      for (const box of erased(clip)) {
        assert.ok(box.top >= 0 && box.top < size && box.left >= 0 && box.left < size);
        assert.ok(box.height >= 1 && box.width >= 1);
      }
    }),
    { numRuns: 500 },
  );
});

test('erased rectangles have the official sizes: TimeBalance at 224 x 224, TCLR at 112 x 112', () => {
  const range = (numbers: readonly number[]): number[] => [Math.min(...numbers), Math.max(...numbers)];
  const boxes = (settings: Transform, size: number): Box[] =>
    Array.from({ length: 3000 }, (_, sample) =>
      erased(drawTransform(settings, source, size, randomStream(1, 'augment', 0, sample))),
    ).flat();
  const timebalance = boxes(timebalancePretext, 224);
  assert.deepEqual(range(timebalance.map(({ height }) => height)), [40, 79]);
  assert.deepEqual(range(timebalance.map(({ width }) => width)), [53, 105]);
  const tclr = boxes(tclrPretext, 112);
  assert.deepEqual(range(tclr.map(({ height }) => height)), [9, 18]);
});

test('TCLR crops squares, TimeBalance the shape of the frame', () => {
  assert.ok(draws(tclrPretext, 50).every(({ crop }) => crop.height === crop.width && crop.height >= 18));
  for (const { crop } of draws(timebalancePretext, 50)) assert.ok(Math.abs(crop.width / crop.height - 4 / 3) < 0.1);
});

test('every operation happens as often as the pre-training table says', () => {
  const clips = draws(timebalancePretext, 4000);
  assertShare(clips, has('contrast'), 0.25, 'contrast');
  // Half of it before and half after the others, where there are others (1 - 0.7³ of the clips).
  assertShare(clips, contrastAt('early'), 0.125 * 0.657, 'early contrast');
  assertShare(clips, contrastAt('late'), 0.125 * 0.657, 'late contrast');
  assertShare(clips, has('hue'), 0.3, 'hue');
  assertShare(clips, has('saturation'), 0.3, 'saturation');
  assertShare(clips, has('brightness'), 0.3, 'brightness');
  assertShare(clips, has('gray'), 0.175, 'gray');
  assertShare(clips, has('gamma'), 0.175 * 0.75, 'gamma');
  assertShare(clips, has('channel-drop'), 0.125, 'channel drop');
  assertShare(clips, ({ flip }) => flip, 0.5, 'flip');
  assertShare(clips, has('erase'), 0.7, 'erase');
  for (const clip of clips) {
    assert.ok(!has('channel-order')(clip) && !(has('gray')(clip) && has('channel-drop')(clip)));
    assert.ok(new Set(kinds(clip)).size === kinds(clip).length, 'no step twice');
    assert.ok(Math.abs(value(clip, 'hue') ?? 0) <= 0.1);
  }
});

test('every operation happens as often as the fine-tuning table says', () => {
  const clips = draws(timebalanceTrain, 4000);
  assertShare(clips, has('contrast'), 0.125, 'contrast');
  assertShare(clips, has('brightness'), 0.15, 'brightness');
  assertShare(clips, has('gray'), 0.1, 'gray');
  assertShare(clips, (clip) => erased(clip).length === 2, 0.16, 'both rectangles');
  assertShare(clips, (clip) => erased(clip).length === 0, 0.36, 'no rectangle');
  assertShare(clips, has('channel-drop'), 0, 'channel drop');
});

test('MoCo v2: jitter of four operations in random order, gray, blur and flip as often as the table says', () => {
  const clips = draws(mocoV2, 4000);
  for (const kind of ['brightness', 'contrast', 'saturation', 'hue'] as const) assertShare(clips, has(kind), 0.8, kind);
  assertShare(clips, has('gray'), 0.2, 'gray');
  assertShare(clips, has('blur'), 0.5, 'blur');
  assertShare(clips, ({ flip }) => flip, 0.5, 'flip');
  const orders = new Set(clips.filter(has('hue')).map((clip) => kinds(clip).slice(0, 4).join()));
  assert.equal(orders.size, 24);
  for (const clip of clips) {
    assert.ok(Math.abs((value(clip, 'brightness') ?? 1) - 1) <= 0.4 && Math.abs(value(clip, 'hue') ?? 0) <= 0.1);
    const sigma = value(clip, 'blur') ?? 1;
    assert.ok(sigma >= 0.1 && sigma < 2);
    const area = (clip.crop.height * clip.crop.width) / (source.height * source.width);
    assert.ok(area > 0.17 && area <= 1, `${area}`);
    const shape = clip.crop.width / clip.crop.height;
    assert.ok(shape > 0.7 && shape < 1.42, `${shape}`);
  }
});

test('MoCo v1 turns gray before its jitter; SVT never changes the hue', () => {
  const gray = draws(mocoV1, 500).filter(has('gray'));
  assert.ok(gray.length > 50 && gray.every((clip) => kinds(clip)[0] === 'gray' && kinds(clip).length === 5));
  assert.ok(draws(svtGlobal, 500).every((clip) => !has('hue')(clip) && !has('blur')(clip)));
});

test('SVT: global crops are 40 % to all of the frame, local ones 5 % to 40 %', () => {
  const areas = (settings: Transform): number[] =>
    draws(settings, 500).map(({ crop }) => (crop.height * crop.width) / (source.height * source.width));
  assert.ok(areas(svtGlobal).every((area) => area > 0.36 && area <= 1));
  assert.ok(areas(svtLocal).every((area) => area > 0.035 && area < 0.44));
});

test('a frame too narrow for any of the random shapes gives its middle, in the nearest allowed shape', () => {
  const { crop } = drawTransform(mocoV2, { height: 10, width: 200 }, 8, randomStream(0, 'augment'));
  assert.deepEqual(crop, { top: 0, left: 93, height: 10, width: 13 });
});

test('probabilities of 0 and 1 are never and always, and changing one leaves all other draws as they were', () => {
  const never = draws({ ...timebalancePretext, flip: 0, channelPermutation: 0 }, 500);
  const always = draws({ ...timebalancePretext, flip: 1, channelPermutation: 1 }, 500);
  assert.ok(never.every((clip) => !clip.flip && !has('channel-order')(clip)));
  assert.ok(always.every((clip) => clip.flip && has('channel-order')(clip)));
  const without = (clip: ClipAugmentation): unknown => ({
    ...clip,
    flip: true,
    steps: clip.steps.filter(({ kind }) => kind !== 'channel-order'),
  });
  assert.deepEqual(never.map(without), always.map(without));

  const sharp = draws({ ...mocoV2, blur: { probability: 0, sigma: [0.1, 2] } }, 200);
  const blurred = draws({ ...mocoV2, blur: { probability: 1, sigma: [0.1, 2] } }, 200);
  assert.ok(blurred.every(has('blur')) && !sharp.some(has('blur')));
  const withoutBlur = (clip: ClipAugmentation): unknown => ({
    ...clip,
    steps: clip.steps.filter(({ kind }) => kind !== 'blur'),
  });
  assert.deepEqual(sharp.map(withoutBlur), blurred.map(withoutBlur));
});

test("TimeBalance's evaluation crop is the middle 80 %, half pixels rounded to even", () => {
  const { crop, flip, steps } = drawTransform(testTransform, { height: 24, width: 32 }, 12, randomStream(0, 'augment'));
  assert.deepEqual(crop, { top: 2, left: 4, height: 19, width: 25 });
  assert.deepEqual([flip, steps], [false, []]);
});

test('three test crops: left, centre, right of a wide frame, top, centre, bottom of a tall one', () => {
  const canvas = (transform: Transform, height: number, width: number): Box =>
    drawTransform(transform, { height, width }, 10, randomStream(0, 'augment')).canvas;
  const positions = ['first', 'middle', 'last'] as const;
  const wide = positions.map((position) => canvas(svtTest(position), 20, 45));
  assert.deepEqual(
    wide.map(({ top, left }) => [top, left]),
    [
      [0, 0],
      [0, 6],
      [0, 12],
    ],
  );
  const tall = positions.map((position) => canvas(svtTest(position), 45, 20));
  assert.deepEqual(
    tall.map(({ top, left }) => [top, left]),
    [
      [0, 0],
      [6, 0],
      [12, 0],
    ],
  );
  // CLIP rounds half pixels to the even neighbour, SVT up.
  assert.equal(canvas(clipPreprocess, 20, 42).left, 6);
  assert.equal(canvas(clipPreprocess, 20, 50).left, 8);
  assert.equal(canvas(svtTest('middle'), 20, 46).left, 7);
});

test("the linear probe's views scale the short side to 256..320 for 224, then cut a square anywhere", () => {
  const clips = Array.from({ length: 1000 }, (_, sample) =>
    drawTransform(svtProbeTrain, source, 224, randomStream(1, 'augment', 0, sample)),
  );
  const shortSides = clips.map(({ canvas }) => canvas.height);
  assert.deepEqual([Math.min(...shortSides), Math.max(...shortSides)], [256, 320]);
  assert.ok(new Set(clips.map(({ canvas }) => canvas.top)).size > 20);
});
