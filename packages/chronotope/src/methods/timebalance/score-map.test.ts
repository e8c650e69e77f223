import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { areaUnderCurve, mapScores, type ScoreMap } from './score-map.js';

const MAPS: ScoreMap[] = ['min-max', 'identity', 'rank', 'inverted', 'mean', 'constant'];

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
    close(mapScores(scores, 'constant'), [0.5, 0.5, 0.5, 0.5]);
    close(mapScores([0.9, 0.7, 0.8, 0.7], 'mean'), [0.375, 0.375, 0.375, 0.375]);
    close(mapScores([0.3, 0.3], 'min-max'), [0.5, 0.5]);
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

test('the area under the curve counts pairs in the right order, ties half', () => {
  assert.equal(areaUnderCurve([3, 4], [1, 2]), 1);
  assert.equal(areaUnderCurve([1, 2], [3, 4]), 0);
  assert.equal(areaUnderCurve([1, 3], [1, 2]), (0.5 + 0 + 1 + 1) / 4);
});
