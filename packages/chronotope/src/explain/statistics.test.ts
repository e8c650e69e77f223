import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { areaInterval, quantileGroups } from './statistics.js';

const close = (a: number, b: number, tolerance = 5e-4) => assert.ok(Math.abs(a - b) < tolerance, `${a} is not ${b}`);

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
