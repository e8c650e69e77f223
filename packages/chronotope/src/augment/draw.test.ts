import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomStream } from '../random.js';
import { type ClipAugmentation, drawTransform } from './draw.js';
import { type Augmentation, testTransform, timebalancePretext, timebalanceTrain } from './settings.js';

const source = { height: 30, width: 40 };

function draws(settings: Augmentation, count: number): ClipAugmentation[] {
  return Array.from({ length: count }, (_, sample) =>
    drawTransform(settings, source, 24, randomStream(1, 'augment', 0, sample)),
  );
}

function share(clips: readonly ClipAugmentation[], holds: (clip: ClipAugmentation) => boolean): number {
  return clips.filter(holds).length / clips.length;
}

function assertNear(actual: number, expected: number, what: string): void {
  // Four standard errors of a share of 4000 draws at most.
  assert.ok(Math.abs(actual - expected) < 0.032, `${what}: ${actual} instead of ${expected}`);
}

test('the same key draws the same augmentation, any other key another one', () => {
  const draw = (...key: number[]): ClipAugmentation =>
    drawTransform(timebalancePretext, source, 24, randomStream(7, 'augment', ...key));
  assert.deepEqual(draw(1, 2, 3), draw(1, 2, 3));
  for (const other of [draw(0, 2, 3), draw(1, 0, 3), draw(1, 2, 0)]) {
    assert.notDeepEqual(other, draw(1, 2, 3));
  }
});

test('crops lie inside the frame, whatever its size; erased rectangles start inside the output', () => {
  const side = fc.integer({ min: 1, max: 400 });
  fc.assert(
    fc.property(side, side, side, fc.nat(), (height, width, size, seed) => {
      const { crop, erased } = drawTransform(timebalanceTrain, { height, width }, size, randomStream(seed, 'augment'));
      assert.ok(crop.height >= 1 && crop.width >= 1 && crop.top >= 0 && crop.left >= 0);
      assert.ok(crop.top + crop.height <= height && crop.left + crop.width <= width);
      for (const box of erased) {
        assert.ok(box.top >= 0 && box.top < size && box.left >= 0 && box.left < size);
        assert.ok(box.height >= 1 && box.width >= 1);
      }
    }),
  );
});

test('erased rectangles have the official sizes at 224 x 224', () => {
  const boxes = Array.from({ length: 3000 }, (_, sample) =>
    drawTransform(timebalancePretext, source, 224, randomStream(1, 'augment', 0, sample)),
  ).flatMap(({ erased }) => erased);
  const heights = boxes.map(({ height }) => height);
  const widths = boxes.map(({ width }) => width);
  assert.deepEqual([Math.min(...heights), Math.max(...heights)], [40, 79]);
  assert.deepEqual([Math.min(...widths), Math.max(...widths)], [53, 105]);
});

test('every operation happens as often as the pre-training table says', () => {
  const clips = draws(timebalancePretext, 4000);
  assertNear(
    share(clips, (a) => a.earlyContrast !== null),
    0.125,
    'early contrast',
  );
  assertNear(
    share(clips, (a) => a.lateContrast !== null),
    0.125,
    'late contrast',
  );
  assertNear(
    share(clips, (a) => a.hue !== null),
    0.3,
    'hue',
  );
  assertNear(
    share(clips, (a) => a.saturation !== null),
    0.3,
    'saturation',
  );
  assertNear(
    share(clips, (a) => a.brightness !== null),
    0.3,
    'brightness',
  );
  assertNear(
    share(clips, (a) => a.grayscale),
    0.175,
    'grayscale',
  );
  assertNear(
    share(clips, (a) => a.gamma !== null),
    0.175 * 0.75,
    'gamma',
  );
  assertNear(
    share(clips, (a) => a.droppedChannel !== null),
    0.125,
    'channel drop',
  );
  assertNear(
    share(clips, (a) => a.flip),
    0.5,
    'flip',
  );
  assertNear(
    share(clips, (a) => a.erased.length === 1),
    0.7,
    'erase',
  );
  assert.equal(
    share(clips, (a) => a.channelOrder !== null),
    0,
  );
  assert.equal(
    share(clips, (a) => a.earlyContrast !== null && a.lateContrast !== null),
    0,
  );
  assert.equal(
    share(clips, (a) => a.grayscale && a.droppedChannel !== null),
    0,
  );
  assert.ok(clips.every(({ hue }) => hue === null || Math.abs(hue) <= 0.1));
});

test('every operation happens as often as the fine-tuning table says', () => {
  const clips = draws(timebalanceTrain, 4000);
  assertNear(
    share(clips, (a) => a.earlyContrast !== null),
    0.0625,
    'early contrast',
  );
  assertNear(
    share(clips, (a) => a.lateContrast !== null),
    0.0625,
    'late contrast',
  );
  assertNear(
    share(clips, (a) => a.brightness !== null),
    0.15,
    'brightness',
  );
  assertNear(
    share(clips, (a) => a.grayscale),
    0.1,
    'grayscale',
  );
  assertNear(
    share(clips, (a) => a.erased.length === 2),
    0.16,
    'both rectangles',
  );
  assertNear(
    share(clips, (a) => a.erased.length === 0),
    0.36,
    'no rectangle',
  );
  assert.equal(
    share(clips, (a) => a.droppedChannel !== null),
    0,
  );
});

test('probabilities of 0 and 1 are never and always, and changing one leaves all other draws as they were', () => {
  const never = draws({ ...timebalancePretext, flip: 0, channelPermutation: 0 }, 500);
  const always = draws({ ...timebalancePretext, flip: 1, channelPermutation: 1 }, 500);
  assert.ok(never.every(({ flip, channelOrder }) => !flip && channelOrder === null));
  assert.ok(always.every(({ flip, channelOrder }) => flip && [...channelOrder!].sort().join() === '0,1,2'));
  assert.deepEqual(
    never.map((clip) => ({ ...clip, flip: true, channelOrder: null })),
    always.map((clip) => ({ ...clip, channelOrder: null })),
  );
});

test('the evaluation crop is the middle 80 %, half pixels rounded to even', () => {
  const { crop, flip, erased } = drawTransform(
    testTransform,
    { height: 24, width: 32 },
    12,
    randomStream(0, 'augment'),
  );
  assert.deepEqual(crop, { top: 2, left: 4, height: 19, width: 25 });
  assert.deepEqual([flip, erased], [false, []]);
});
