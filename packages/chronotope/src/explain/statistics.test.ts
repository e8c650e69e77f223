import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { areaInterval, pairedDifference, quantileGroups, shareInterval } from './statistics.js';

const close = (a: number, b: number, tolerance = 5e-4) => assert.ok(Math.abs(a - b) < tolerance, `${a} is not ${b}`);

test("Wilson's interval has the published bounds and stays inside [0, 1]", () => {
  // Newcombe, Statistics in Medicine 1998, table I, method 3.
  const published: [number, number, number, number][] = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ];
  for (const [right, count, low, high] of published) {
    const interval = shareInterval(right / count, count);
    close(interval.low, low);
    close(interval.high, high);
  }
  assert.equal(shareInterval(1, 10).high, 1);
});

test('classifiers that are right on the same videos differ by exactly 0', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 0.5, 1), { minLength: 2 }), (right) => {
      assert.deepEqual(pairedDifference(right, right), { value: 0, low: 0, high: 0 });
    }),
  );
  const { value, low, high } = pairedDifference([1, 1, 1, 0], [0, 0, 1, 0]);
  assert.equal(value, 0.5);
  close((high - low) / 2, 1.96 * Math.sqrt(1 / 3 / 4));
});

test('the interval of an area under the curve shrinks with the groups and contains the area', () => {
  // A = 0.9, 20 and 20 members: Q1 = 0.9 / 1.1, Q2 = 1.62 / 1.9.
  const { low } = areaInterval(0.9, 20, 20);
  close((0.9 - low) / 1.96, Math.sqrt((0.09 + 19 * (0.9 / 1.1 - 0.81) + 19 * (1.62 / 1.9 - 0.81)) / 400), 1e-9);
  assert.ok(areaInterval(0.9, 200, 200).low > low);
});

test('quantile groups are in order, of nearly equal size, and hold every item once', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 5 }), (items, count) => {
      const groups = quantileGroups(items, (item) => item, count);
      assert.deepEqual(
        groups.flat(),
        [...items].sort((a, b) => a - b),
      );
      const sizes = groups.map(({ length }) => length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
    }),
  );
});
