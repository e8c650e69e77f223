import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Philox4, philox4x32, randomStream } from './random.js';

test('philox4x32 reproduces the published known answers (Random123, kat_vectors, philox 4x32 10)', () => {
  const ones = 0xffffffff;
  const cases: { counter: Philox4; key: [number, number]; answer: Philox4 }[] = [
    { counter: [0, 0, 0, 0], key: [0, 0], answer: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    { counter: [ones, ones, ones, ones], key: [ones, ones], answer: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      answer: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ];
  for (const { counter, key, answer } of cases) assert.deepEqual(philox4x32(counter, key), answer);
});

function draw(count: number, seed: number, purpose: string, ...path: number[]): number[] {
  const random = randomStream(seed, purpose, ...path);
  return Array.from({ length: count }, () => random.uint32());
}

test('the same seed, purpose and path give the same numbers', () => {
  assert.deepEqual(draw(50, 7, 'augment', 1, 2, 3), draw(50, 7, 'augment', 1, 2, 3));
});

test('changing the seed (low or high bits), the purpose or any part of the path changes the numbers', () => {
  const streams = [
    draw(4, 7, 'augment', 1, 2, 3),
    draw(4, 8, 'augment', 1, 2, 3),
    draw(4, 7 + 2 ** 32, 'augment', 1, 2, 3),
    draw(4, 7, 'clips', 1, 2, 3),
    draw(4, 7, 'augment', 2, 2, 3),
    draw(4, 7, 'augment', 1, 1, 3),
    draw(4, 7, 'augment', 1, 2, 0),
  ];
  assert.equal(new Set(streams.flat()).size, streams.length * 4);
});

test('missing parts of the path are zero', () => {
  assert.deepEqual(draw(4, 7, 'augment', 5), draw(4, 7, 'augment', 5, 0, 0));
});

test('uniform stays in its range with the right mean and spread', () => {
  const random = randomStream(1, 'test');
  const values = Array.from({ length: 20000 }, () => random.uniform(2, 5));
  assert.ok(values.every((value) => value >= 2 && value < 5));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  assert.ok(Math.abs(mean - 3.5) < 0.03, `mean ${mean}`);
  assert.ok(Math.abs(variance - 9 / 12) < 0.03, `variance ${variance}`);
});

test('normal has the requested mean, standard deviation and tails', () => {
  const random = randomStream(2, 'test');
  const values = Array.from({ length: 20000 }, () => random.normal(1, 2));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const beyondTwo = values.filter((value) => Math.abs(value - 1) > 4).length / values.length;
  assert.ok(Math.abs(mean - 1) < 0.07, `mean ${mean}`);
  assert.ok(Math.abs(deviation - 2) < 0.05, `standard deviation ${deviation}`);
  assert.ok(Math.abs(beyondTwo - 0.0455) < 0.007, `beyond two standard deviations ${beyondTwo}`);
});

test('int is uniform over its values and rejects counts it cannot serve', () => {
  const random = randomStream(3, 'test');
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < 10000; i++) counts[random.int(5)]!++;
  assert.ok(
    counts.every((count) => Math.abs(count - 2000) < 160),
    `counts ${counts}`,
  );
  for (const bad of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN]) assert.throws(() => random.int(bad), RangeError);
});

test('permutation gives every order of three items equally often', () => {
  const random = randomStream(4, 'test');
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = random.permutation(3).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), ['012', '021', '102', '120', '201', '210']);
  assert.ok(
    [...counts.values()].every((count) => Math.abs(count - 1000) < 120),
    `counts ${[...counts.values()]}`,
  );
});

test('chance follows its probability and always draws one number', () => {
  const random = randomStream(5, 'test');
  const hits = Array.from({ length: 10000 }, () => random.chance(0.3)).filter(Boolean).length;
  assert.ok(Math.abs(hits - 3000) < 200, `hits ${hits}`);

  const [never, always] = [randomStream(6, 'test'), randomStream(6, 'test')];
  assert.equal(never.chance(0), false);
  assert.equal(always.chance(1), true);
  assert.equal(never.uint32(), always.uint32());
});

test('a bad seed or path is refused', () => {
  for (const seed of [-1, 0.5, 2 ** 60]) assert.throws(() => randomStream(seed, 'test'), RangeError);
  for (const path of [[-1], [0.5], [2 ** 32], [0, 0, 0, 0]]) {
    assert.throws(() => randomStream(0, 'test', ...path), RangeError);
  }
});
