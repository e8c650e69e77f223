import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { meanOf } from '../../testing/naive-losses.js';
import { areaUnderCurve, mapScores, type ScoreMap } from './score-map.js';

const MAPS: ScoreMap[] = ['min-max', 'identity', 'half-shifted', 'rank', 'inverted', 'mean', 'constant'];

describe('score maps', () => {
  test('give the weights written in their definitions', () => {
    const scores = [0.9, 0.7, 0.8, 0.8];
    const close = (got: number[], want: number[]) =>
      got.forEach((weight, k) => {
        assert.ok(Math.abs(weight - want[k]!) < 1e-12, `${weight} instead of ${want[k]}`);
      });
    close(mapScores(scores, 'min-max'), [1, 0, 0.5, 0.5]);
    close(mapScores(scores, 'inverted'), [0, 1, 0.5, 0.5]);
    close(mapScores(scores, 'rank'), [1, 0, 0.5, 0.5]);
    close(mapScores([-0.5, 0.25, 1.5], 'identity'), [0, 0.25, 1]);
    close(mapScores([-1, 0, 0.5, 1 + 1e-7], 'half-shifted'), [0, 0.5, 0.75, 1]);
    close(mapScores(scores, 'constant'), [0.5, 0.5, 0.5, 0.5]);
    close(mapScores([0.9, 0.7, 0.8, 0.7], 'mean'), [0.375, 0.375, 0.375, 0.375]);
    close(mapScores([0.3, 0.3], 'min-max'), [0.5, 0.5]);
  });

  test('equal their definitions written as loops, for any scores', () => {
    const scores = fc.array(fc.integer({ min: -10, max: 15 }), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(scores, (tenths) => {
        const all = tenths.map((value) => value / 10);
        const [low, high] = [Math.min(...all), Math.max(...all)];
        const spread = all.map((s) => (low === high ? 1 / 2 : (s - low) / (high - low)));
        // A pair of equal scores counts half for each of the two.
        const ranked = all.map((s) => {
          const wins = all.reduce((sum, other) => sum + (other < s ? 1 : other === s ? 1 / 2 : 0), -1 / 2);
          return wins / (all.length - 1);
        });
        const expected: Record<ScoreMap, number[]> = {
          'min-max': spread,
          identity: all.map((s) => (s < 0 ? 0 : s > 1 ? 1 : s)),
          'half-shifted': all.map((s) => (s < -1 ? 0 : s > 1 ? 1 : (s + 1) / 2)),
          rank: ranked,
          inverted: spread.map((w) => 1 - w),
          mean: spread.map(() => meanOf(spread)),
          constant: all.map(() => 1 / 2),
        };
        for (const map of MAPS) {
          for (const [k, weight] of mapScores(all, map).entries()) {
            assert.ok(Math.abs(weight - expected[map][k]!) < 1e-12, `${map}: ${weight}, not ${expected[map][k]}`);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('every map stays within [0, 1], and all but the inverted and constant ones keep the order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1 }),
        fc.constantFrom(...MAPS),
        (scores, map) => {
          const weights = mapScores(scores, map);
          assert.ok(weights.every((weight) => weight >= 0 && weight <= 1));
          if (map === 'inverted' || map === 'constant') return;
          for (const [i, a] of scores.entries()) {
            for (const [j, b] of scores.entries()) if (a < b) assert.ok(weights[i]! <= weights[j]!);
          }
        },
      ),
    );
  });
});

test('as many scores as Kinetics has videos are no trouble', () => {
  const scores = Array.from({ length: 240_000 }, (_, k) => (k * 7919) % 240_000);
  for (const map of ['min-max', 'rank'] as const) {
    assert.deepEqual(
      mapScores(scores, map),
      scores.map((score) => score / 239_999),
    );
  }
  assert.equal(areaUnderCurve(scores, scores), 0.5);
});

test('the area under the curve counts pairs in the right order, ties half', () => {
  assert.equal(areaUnderCurve([3, 4], [1, 2]), 1);
  assert.equal(areaUnderCurve([1, 2], [3, 4]), 0);
  assert.equal(areaUnderCurve([1, 3], [1, 2]), (0.5 + 0 + 1 + 1) / 4);
});
