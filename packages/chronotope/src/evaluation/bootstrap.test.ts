import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomStream } from '../random.js';
import { bootstrapMeans, bootstrapShares } from './bootstrap.js';
import { pairedDifference } from './comparison.js';

function flips(count: number, probability: number, ...path: number[]): number[] {
  const random = randomStream(3, 'test', ...path);
  return Array.from({ length: count }, () => (random.chance(probability) ? 1 : 0));
}

describe('bootstrap over videos', () => {
  test('the interval of a large sample is that of the normal distribution, within the noise of the resamples', () => {
    const values = flips(1000, 0.3);
    const [interval] = bootstrapMeans([values], { resamples: 4000 });
    const { value, low, high } = interval!;
    const half = 1.96 * Math.sqrt((value * (1 - value)) / values.length);
    assert.equal(value, values.reduce((sum, one) => sum + one, 0) / 1000);
    assert.ok(Math.abs(value - half - low) < 0.1 * half && Math.abs(value + half - high) < 0.1 * half);
  });

  test('of simulated data sets, about 95 % of the intervals hold the truth', () => {
    const experiments = 400;
    const hits = Array.from({ length: experiments }, (_, experiment) => {
      const options = { resamples: 300, seed: experiment };
      const { low, high } = bootstrapShares([flips(80, 0.7, experiment)], options)[0]!;
      return low <= 0.7 && 0.7 <= high;
    }).filter(Boolean).length;
    // Two standard deviations of the experiment are 2.2 points; the percentile interval itself is a little short.
    assert.ok(hits / experiments > 0.91 && hits / experiments < 0.98, `${hits} of ${experiments}`);
  });

  test('the paired interval of two classifiers that agree on most videos is narrower than the unpaired ones suggest', () => {
    const first = flips(200, 0.6);
    const second = first.map((right, video) => (video % 20 === 0 ? 1 - right : right));
    const { low, high } = pairedDifference(first, second);
    const [alone] = bootstrapMeans([first]);
    assert.ok(high - low < 0.6 * (alone!.high - alone!.low));
    assert.deepEqual(pairedDifference(first, first), { value: 0, low: 0, high: 0 });
  });

  test('groups of identical videos say no more than one video of each', () => {
    const once = flips(40, 0.5);
    const fourTimes = once.flatMap((value) => [value, value, value, value]);
    const groups = once.flatMap((_, group) => Array.from({ length: 4 }, () => `person ${group}`));
    const alone = bootstrapMeans([once])[0]!;
    assert.deepEqual(bootstrapMeans([fourTimes], { groups })[0], alone);
    const unaware = bootstrapMeans([fourTimes])[0]!;
    assert.ok(unaware.high - unaware.low < 0.7 * (alone.high - alone.low));
  });

  test('a seed gives the same interval; shifting and scaling the values shifts and scales it', () => {
    const values = [0.5, 2, -1, 4, 0.25, 8];
    const { low, high } = bootstrapMeans([values], { seed: 7 })[0]!;
    assert.deepEqual(bootstrapMeans([values], { seed: 7 })[0], { value: 13.75 / 6, low, high });
    assert.notDeepEqual(bootstrapMeans([values], { seed: 8 })[0], { value: 13.75 / 6, low, high });
    const moved = bootstrapMeans([values.map((value) => 3 + 2 * value)], { seed: 7 })[0]!;
    assert.ok(Math.abs(moved.low - (3 + 2 * low)) < 1e-12 && Math.abs(moved.high - (3 + 2 * high)) < 1e-12);
  });

  test('everything right is not certainty: the lower end is that of Clopper and Pearson', () => {
    const right = Array.from({ length: 20 }, () => 1);
    assert.deepEqual(bootstrapMeans([right])[0], { value: 1, low: 1, high: 1 });
    assert.equal(bootstrapShares([right])[0]!.low.toFixed(6), (0.025 ** (1 / 20)).toFixed(6));
    const wrong = bootstrapShares([right.map(() => 0)])[0]!;
    assert.equal(wrong.high.toFixed(6), (1 - 0.025 ** (1 / 20)).toFixed(6));
  });

  test('what has no answer is refused', () => {
    assert.throws(() => bootstrapMeans([[]]), RangeError);
    assert.throws(() => bootstrapMeans([[1], [1, 2]]), RangeError);
    assert.throws(() => bootstrapMeans([[1]], { level: 1 }), RangeError);
  });
});
