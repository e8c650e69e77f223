import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomStream } from '../../random.js';
import {
  bitCount,
  HASH_BITS,
  HASH_SIDE,
  hashWords,
  lookDistance,
  NEAR_DUPLICATE_BITS,
  NEAR_DUPLICATE_LOOK_BITS,
  PerceptualHasher,
} from './perceptual-hash.js';

type Scene = (time: number, y: number, x: number) => number;

/** Hash of a scene that lasts 2 s, shown at these times. */
function hashOf(scene: Scene, times: readonly number[]): string | null {
  const hasher = new PerceptualHasher({ start: times[0]!, end: times[0]! + 2 });
  for (const time of times) {
    const pixels = new Uint8Array(HASH_SIDE * HASH_SIDE * 3);
    for (let i = 0; i < HASH_SIDE * HASH_SIDE; i++) {
      const value = scene(time - times[0]!, Math.floor(i / HASH_SIDE), i % HASH_SIDE);
      pixels.fill(Math.min(255, Math.max(0, Math.round(value))), 3 * i, 3 * i + 3);
    }
    hasher.add(pixels, time);
  }
  return hasher.digest();
}

function times(fps: number, start = 0): number[] {
  return Array.from({ length: Math.round(2 * fps) }, (_, i) => start + i / fps);
}

/** A bright blob over a gradient, at the place that `where` gives, in pixels. */
function blob(where: (time: number) => [y: number, x: number]): Scene {
  return (time, y, x) => {
    const [blobY, blobX] = where(time);
    return 60 + 4 * x + 2 * y + 110 * Math.exp(-((y - blobY) ** 2 + (x - blobX) ** 2) / 8);
  };
}

const rightwards = blob((time) => [8, 2 + 6 * time]);
const leftwards = blob((time) => [8, 14 - 6 * time]);

function differingBits(a: string | null, b: string | null): { all: number; look: number } {
  const [first, second] = [hashWords(a!), hashWords(b!)];
  const all = first.reduce((sum, word, i) => sum + bitCount(word ^ second[i]!), 0);
  return { all, look: lookDistance(first, second) };
}

function isNear(a: string | null, b: string | null): boolean {
  const { all, look } = differingBits(a, b);
  return all <= NEAR_DUPLICATE_BITS && look <= NEAR_DUPLICATE_LOOK_BITS;
}

test('a hash does not care for frame rate, start time, brightness, contrast or noise', () => {
  const original = hashOf(rightwards, times(25));
  assert.equal(original!.length * 4, HASH_BITS);
  const random = randomStream(1, 'noise');
  const copies = {
    'half the frame rate': hashOf(rightwards, times(12.5)),
    'a later start': hashOf(rightwards, times(25, 8.3)),
    brighter: hashOf((t, y, x) => rightwards(t, y, x) + 20, times(25)),
    'more contrast': hashOf((t, y, x) => 1.2 * rightwards(t, y, x), times(25)),
    noise: hashOf((t, y, x) => rightwards(t, y, x) + random.normal(0, 4), times(25)),
    'frames shown for different times': hashOf(
      rightwards,
      times(25).filter((_, i) => i % 3 !== 1),
    ),
  };
  for (const [name, copy] of Object.entries(copies)) {
    assert.ok(isNear(original, copy), `${name}: ${JSON.stringify(differingBits(original, copy))}`);
  }
});

test('the same scene with another course of time is another video, although its mean picture is the same', () => {
  const [there, back] = [hashOf(rightwards, times(25)), hashOf(leftwards, times(25))];
  const { all, look } = differingBits(there, back);
  assert.ok(look <= NEAR_DUPLICATE_LOOK_BITS, `${look}`);
  assert.ok(all > NEAR_DUPLICATE_BITS, `${all}`);
});

test('still videos are told apart by their looks alone', () => {
  const still = (where: [number, number]) =>
    hashOf(
      blob(() => where),
      times(10),
    );
  assert.ok(isNear(still([4, 4]), still([4, 4])));
  assert.ok(!isNear(still([4, 4]), still([11, 10])));
});

test('a video without contrast, and one without frames, has no hash', () => {
  assert.equal(
    hashOf(() => 128, times(10)),
    null,
  );
  assert.equal(new PerceptualHasher({ start: 0, end: 1 }).digest(), null);
});

test('the look bits are the clearly positive coefficients of the mean picture, by the definition of the DCT', () => {
  const picture = (y: number, x: number) => 128 + 60 * Math.cos((Math.PI * (x + 0.5)) / 16) + 30 * Math.sin(y);
  const hash = hashWords(hashOf((_, y, x) => picture(y, x), times(8))!);
  // The first appearance frequency is (y 0, x 1), the second (1, 0): bit 0 of the words 0 and 1.
  const coefficient = (v: number, u: number) => {
    let sum = 0;
    for (let y = 0; y < 16; y++) {
      for (let x = 0; x < 16; x++) {
        const basis = Math.cos((Math.PI * v * (y + 0.5)) / 16) * Math.cos((Math.PI * u * (x + 0.5)) / 16);
        sum += Math.round(picture(y, x)) * basis;
      }
    }
    return sum;
  };
  assert.ok(coefficient(0, 1) > 1000 && hash[0]! % 2 === 1);
  assert.ok(coefficient(1, 0) < 200 && hash[1]! % 2 === 0);
});

test('bits are counted', () => {
  for (const word of [0, 1, 0xff, 0x80000000, 0xffffffff, 0x12345678]) {
    assert.equal(bitCount(word | 0), word.toString(2).replaceAll('0', '').length);
  }
});
