import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mcnemar } from './mcnemar.js';

/** Classifiers that are right alone on so many videos, and agree on four others. */
function disagreeing(onlyFirst: number, onlySecond: number): [boolean[], boolean[]] {
  const first = [...Array(onlyFirst).fill(true), ...Array(onlySecond).fill(false), true, true, false, false];
  const second = [...Array(onlyFirst).fill(false), ...Array(onlySecond).fill(true), true, true, false, false];
  return [first, second];
}

test("McNemar's exact p of 10 against 2 is twice the binomial tail: 2 (1 + 12 + 66) / 2^12", () => {
  const { onlyFirst, onlySecond, p } = mcnemar(...disagreeing(10, 2));
  assert.deepEqual([onlyFirst, onlySecond], [10, 2]);
  assert.ok(Math.abs(p - 158 / 4096) < 1e-12);
  assert.equal(mcnemar(...disagreeing(0, 0)).p, 1);
  assert.equal(mcnemar(...disagreeing(5, 5)).p, 1);
  assert.throws(() => mcnemar([true], []), RangeError);
});

test('p is the share of all outcomes of the coin flips that are as unequal or more, for random counts', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 7 }), (a, b) => {
      const flips = a + b;
      let asUnequal = 0;
      for (let outcome = 0; outcome < 2 ** flips; outcome++) {
        const heads = outcome.toString(2).replaceAll('0', '').length;
        if (Math.abs(2 * heads - flips) >= Math.abs(a - b)) asUnequal++;
      }
      const { p } = mcnemar(...disagreeing(a, b));
      assert.ok(Math.abs(p - asUnequal / 2 ** flips) < 1e-9);
      assert.equal(mcnemar(...disagreeing(b, a)).p, p);
    }),
    { numRuns: 30 },
  );
});

test('thousands of videos do not underflow to a wrong p', () => {
  const { p } = mcnemar(...disagreeing(2600, 2400));
  // The normal approximation with continuity correction: z = 199 / sqrt(5000).
  assert.ok(p > 0.0045 && p < 0.0053, String(p));
});
