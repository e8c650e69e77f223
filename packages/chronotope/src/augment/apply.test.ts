import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory, type Tensor, tensor } from '@chronotope/torch';
import { randomStream } from '../random.js';
import { readGolden } from '../testing/golden.js';
import { augmentClips } from './apply.js';
import type { ClipAugmentation, Step } from './clip-augmentation.js';
import { centreCropOf, drawTransform, untouched } from './draw.js';
import { type AugmentationDraw, applyGates } from './draw-timebalance.js';
import { mocoV2, timebalancePretext, timebalanceTrain } from './presets.js';

/** An official run on one image: the numbers drawn and the pixels that came out. */
interface GoldenCase {
  stage: 'ssl' | 'semisup_and_finetune' | 'val';
  variant: string;
  image_salt: number;
  image_hw: [number, number];
  output_size: number;
  args: OfficialDraw & { cropping_factor: number; hflip?: number };
  output_uint8: number[][][];
}

interface OfficialDraw {
  random_array: number[];
  cropping_factor: number;
  x0: number;
  y0: number;
  contrast: number;
  hue: number;
  saturation: number;
  brightness: number;
  gamma: number;
  color_dropped: number;
  x_erase: number[];
  y_erase: number[];
  erase_h: number[];
  erase_w: number[];
}

interface GoldenFile {
  images: Record<string, number[][][]>;
  cases: GoldenCase[];
}

const SIZE = 24;
const nothing = untouched({ height: SIZE, width: SIZE }, SIZE);
const withSteps = (...steps: Step[]): ClipAugmentation => ({ ...nothing, steps });

/** Pseudo-random frames, uint8 [n, t, h, w, 3]. */
function frames(n: number, t: number, h: number, w: number): Tensor {
  const random = randomStream(5, 'test-frames', n, t);
  return tensor(
    Uint8Array.from({ length: n * t * h * w * 3 }, () => random.int(256)),
    { shape: [n, t, h, w, 3] },
  );
}

function values(clips: Tensor): Float32Array {
  return clips.data() as Float32Array;
}

function augmentationOf({
  stage,
  image_hw: [height, width],
  output_size: outputSize,
  args,
}: GoldenCase): ClipAugmentation {
  if (stage === 'val') {
    return {
      ...centreCropOf({ centreCrop: args.cropping_factor }, { height, width }, outputSize),
      flip: args.hflip === 1,
    };
  }
  const gates = args.random_array;
  const draw: AugmentationDraw = {
    gates: {
      contrast: gates[0]!,
      hue: gates[1]!,
      saturation: gates[2]!,
      brightness: gates[3]!,
      colourLoss: gates[4]!,
      gamma: gates[5]!,
      flip: gates[6]!,
      channelPermutation: 1,
      erase: gates.slice(7),
    },
    crop: {
      top: args.y0,
      left: args.x0,
      height: Math.trunc(args.cropping_factor * height),
      width: Math.trunc(args.cropping_factor * width),
    },
    contrast: args.contrast,
    hue: args.hue,
    saturation: args.saturation,
    brightness: args.brightness,
    gamma: args.gamma,
    droppedChannel: args.color_dropped,
    channelOrder: [0, 1, 2],
    erase: Array.from({ length: stage === 'ssl' ? 1 : 2 }, (_, k) => ({
      top: args.x_erase[k]!,
      left: args.y_erase[k]!,
      height: args.erase_h[k]!,
      width: args.erase_w[k]!,
    })),
  };
  return applyGates(stage === 'ssl' ? timebalancePretext : timebalanceTrain, draw, outputSize);
}

test("replaying the official loaders' draws gives their pixels, but for 8-bit rounding", () => {
  const golden = readGolden<GoldenFile>('augment/augmentation.json');
  assert.equal(golden.cases.length, 21);
  for (const one of golden.cases) {
    // The pre-training loader turns B, G, R into R, G, B; the others treat the image as R, G, B as it is.
    const image = golden.images[one.image_salt]!.map((row) =>
      row.map((pixel) => (one.stage === 'ssl' ? [...pixel].reverse() : pixel)),
    );
    const [height, width] = one.image_hw;
    const clip = tensor(Uint8Array.from(image.flat(2)), { shape: [1, 1, height, width, 3] });
    const actual = values(augmentClips(clip, [augmentationOf(one)], one.output_size));
    const expected = one.output_uint8.flat(2);
    assert.equal(actual.length, expected.length);
    const levels = expected.map((level, k) => Math.abs(255 * actual[k]! - level));
    const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
    const largest = Math.max(...levels);
    const { mean: meanLimit, largest: largestLimit } = tolerance(one.variant);
    const what = `${one.stage} ${one.variant}: mean ${mean.toFixed(2)}, largest ${largest.toFixed(2)} levels of 255`;
    assert.ok(mean <= meanLimit && largest <= largestLimit, what);
  }
});

/**
 * Allowed deviation in levels of 255. The official pipeline rounds to 8 bits after each axis of the resize and truncates
 * after each colour operation; its hue has 8 bits as well.
 */
function tolerance(variant: string): { mean: number; largest: number } {
  if (variant === 'everything') {
    return { mean: 1.6, largest: 4 };
  }
  if (variant === 'hue') {
    return { mean: 0.7, largest: 5 };
  }
  const changesColour = /contrast|saturation|brightness|gray/.test(variant);
  return changesColour ? { mean: 0.6, largest: 2 } : { mean: 0.35, largest: 1 };
}

test('a crop of the whole frame at its own size is an exact copy', () => {
  const source = frames(2, 3, SIZE, SIZE);
  const copy = augmentClips(source, [nothing, nothing], SIZE);
  assert.deepEqual(copy.shape, [2, 3, 3, SIZE, SIZE]);
  const expected = source.permute([0, 4, 1, 2, 3]).div(255);
  assert.deepEqual(values(copy), values(expected.contiguous()));
});

test('a flip is the exact mirror image of the same crop', () => {
  const source = frames(2, 3, 30, 41);
  const crop = { top: 3, left: 5, height: 22, width: 31 };
  const straight = augmentClips(
    source,
    [0, 1].map(() => ({ ...nothing, crop })),
    SIZE,
  );
  const mirrored = augmentClips(
    source,
    [0, 1].map(() => ({ ...nothing, crop, flip: true })),
    SIZE,
  );
  assert.deepEqual(values(mirrored), values(straight.flip([4]).contiguous()));
  assert.notDeepEqual(values(mirrored), values(straight));
});

test('nothing outside the crop reaches the output', () => {
  const crop = { top: 7, left: 9, height: 11, width: 13 };
  const source = frames(1, 2, 30, 41);
  const black = source.clone();
  black.narrow(2, 7, 11).narrow(3, 9, 13).zero_();
  const inside = source.sub(black);
  const augmentation = { ...nothing, crop };
  assert.deepEqual(
    values(augmentClips(inside, [augmentation], SIZE)),
    values(augmentClips(source, [augmentation], SIZE)),
  );
});

test('values stay in [0, 1] and equal frames stay equal: one draw serves the whole clip', () => {
  const clips = 60;
  const source = frames(clips, 1, 30, 41).expand([clips, 4, 30, 41, 3]).contiguous();
  const settings = { ...timebalancePretext, channelPermutation: 0.3 };
  const augmentations = Array.from({ length: clips }, (_, sample) =>
    drawTransform(settings, { height: 30, width: 41 }, SIZE, randomStream(2, 'augment', 0, sample)),
  );
  const result = augmentClips(source, augmentations, SIZE);
  assert.ok(values(result).every((value) => value >= 0 && value <= 1));
  for (let frame = 1; frame < 4; frame++) {
    assert.deepEqual(
      values(result.select(2, frame).contiguous()),
      values(result.select(2, 0).contiguous()),
      `frame ${frame}`,
    );
  }
});

test('a clip comes out the same whatever else is in its batch', () => {
  const source = frames(40, 2, 30, 41);
  // The second kind has its steps in random orders and values outside [0, 1] at the end.
  const augmentations = Array.from({ length: 40 }, (_, sample) =>
    drawTransform(
      sample % 20 < 12 ? timebalancePretext : mocoV2,
      { height: 30, width: 41 },
      SIZE,
      randomStream(3, 'augment', 0, sample),
    ),
  );
  const together = augmentClips(source, augmentations, SIZE);
  for (let k = 0; k < 40; k++) {
    const alone = values(augmentClips(source.narrow(0, k, 1), [augmentations[k]!], SIZE));
    const within = values(together.narrow(0, k, 1).contiguous());
    assert.ok(
      alone.every((value, i) => Math.abs(value - within[i]!) < 1e-5),
      `clip ${k}`,
    );
  }
});

test('channels are reordered, dropped and erased as the draw says', () => {
  const source = frames(1, 2, SIZE, SIZE);
  const plain = augmentClips(source, [nothing], SIZE);
  const reordered = augmentClips(source, [withSteps({ kind: 'channel-order', order: [2, 0, 1] })], SIZE);
  for (const [channel, from] of [2, 0, 1].entries()) {
    assert.deepEqual(
      values(reordered.select(1, channel).contiguous()),
      values(plain.select(1, from).contiguous()),
      `channel ${channel}`,
    );
  }
  const dropped = augmentClips(source, [withSteps({ kind: 'channel-drop', channel: 1 })], SIZE);
  assert.ok(values(dropped.select(1, 1).contiguous()).every((value) => value === 0));
  assert.deepEqual(values(dropped.select(1, 0).contiguous()), values(plain.select(1, 0).contiguous()));

  const erased = augmentClips(
    source,
    [withSteps({ kind: 'erase', boxes: [{ top: 20, left: 2, height: 9, width: 3 }] })],
    SIZE,
  );
  const inBox = (index: number): boolean => {
    const row = Math.floor(index / SIZE) % SIZE;
    const column = index % SIZE;
    return row >= 20 && column >= 2 && column < 5;
  };
  const expected = values(plain).map((value, index) => (inBox(index) ? 0 : value));
  assert.deepEqual(values(erased), expected);
});

test('a full turn of the colour circle changes nothing; a third of it moves every channel on by one', () => {
  const source = frames(1, 2, SIZE, SIZE);
  const plain = augmentClips(source, [nothing], SIZE);
  const close = (actual: Tensor, expected: Tensor): boolean => {
    const want = values(expected.contiguous());
    return values(actual.contiguous()).every((value, k) => Math.abs(value - want[k]!) < 1e-5);
  };
  assert.ok(close(augmentClips(source, [withSteps({ kind: 'hue', value: 1 })], SIZE), plain));
  const third = augmentClips(source, [withSteps({ kind: 'hue', value: 1 / 3 })], SIZE);
  for (const channel of [0, 1, 2]) {
    assert.ok(close(third.select(1, (channel + 1) % 3), plain.select(1, channel)), `channel ${channel}`);
  }
});

test('augmenting leaves nothing behind but its result', () => {
  const source = frames(8, 2, 30, 41);
  const augmentations = Array.from({ length: 8 }, (_, sample) =>
    drawTransform(timebalancePretext, { height: 30, width: 41 }, SIZE, randomStream(3, 'augment', 0, sample)),
  );
  const before = memory().liveTensors;
  augmentClips(source, augmentations, SIZE).dispose();
  assert.equal(memory().liveTensors, before);
});
