import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomStream } from '../random.js';
import { Bootstrap, type BootstrapOptions, type Interval } from './bootstrap.js';

function flips(count: number, probability: number, ...path: number[]): number[] {
  const random = randomStream(3, 'test', ...path);
  return Array.from({ length: count }, () => (random.chance(probability) ? 1 : 0));
}

const mean = (values: number[], options?: BootstrapOptions): Interval =>
  new Bootstrap(values.length, options).mean(values);

describe('bootstrap over videos', () => {
  test('the interval of a large sample is that of the normal distribution, within the noise of the resamples', () => {
    const values = flips(1000, 0.3);
    const { value, low, high } = mean(values, { resamples: 2000 });
    const half = 1.96 * Math.sqrt((value * (1 - value)) / values.length);
    assert.equal(value, values.reduce((sum, one) => sum + one, 0) / 1000);
    assert.ok(Math.abs(value - half - low) < 0.1 * half && Math.abs(value + half - high) < 0.1 * half);
  });

  test('of simulated data sets, about 95 % of the intervals hold the truth', () => {
    const experiments = 300;
    const hits = Array.from({ length: experiments }, (_, experiment) => {
      const options = { resamples: 200, seed: experiment };
      const { low, high } = new Bootstrap(60, options).share(flips(60, 0.7, experiment));
      return low <= 0.7 && 0.7 <= high;
    }).filter(Boolean).length;
    // Two standard deviations of the experiment are 2.5 points; the percentile interval itself is a little short.
    assert.ok(hits / experiments > 0.91 && hits / experiments < 0.98, `${hits} of ${experiments}`);
  });

  test('the paired interval of two classifiers that agree on most videos is narrower than the unpaired ones suggest', () => {
    const first = flips(200, 0.6);
    const second = first.map((right, video) => (video % 20 === 0 ? 1 - right : right));
    const bootstrap = new Bootstrap(200);
    const { low, high } = bootstrap.difference(first, second);
    const alone = bootstrap.mean(first);
    assert.ok(high - low < 0.6 * (alone.high - alone.low));
    assert.deepEqual(bootstrap.difference(first, first), { value: 0, low: 0, high: 0 });
  });

  test('groups of identical videos say no more than one video of each', () => {
    const once = flips(40, 0.5);
    const fourTimes = once.flatMap((value) => [value, value, value, value]);
    const groups = once.flatMap((_, group) => Array.from({ length: 4 }, () => `person ${group}`));
    const alone = mean(once);
    assert.deepEqual(mean(fourTimes, { groups }), alone);
    const unaware = mean(fourTimes);
    assert.ok(unaware.high - unaware.low < 0.7 * (alone.high - alone.low));
  });

  test('a seed gives the same interval; shifting and scaling the values shifts and scales it', () => {
    const values = [0.5, 2, -1, 4, 0.25, 8];
    const { low, high } = mean(values, { seed: 7 });
    assert.deepEqual(mean(values, { seed: 7 }), { value: 13.75 / 6, low, high });
    assert.notDeepEqual(mean(values, { seed: 8 }), { value: 13.75 / 6, low, high });
    const moved = mean(
      values.map((value) => 3 + 2 * value),
      { seed: 7 },
    );
    assert.ok(Math.abs(moved.low - (3 + 2 * low)) < 1e-12 && Math.abs(moved.high - (3 + 2 * high)) < 1e-12);
  });

  test('everything right is not certainty: the lower end is that of Clopper and Pearson', () => {
    const right = Array.from({ length: 20 }, () => 1);
    assert.deepEqual(mean(right), { value: 1, low: 1, high: 1 });
    assert.equal(new Bootstrap(20).share(right).low.toFixed(6), (0.025 ** (1 / 20)).toFixed(6));
    const wrong = new Bootstrap(20).share(right.map(() => 0));
    assert.equal(wrong.high.toFixed(6), (1 - 0.025 ** (1 / 20)).toFixed(6));
  });

  test('what has no answer is refused', () => {
    assert.throws(() => new Bootstrap(0), RangeError);
    assert.throws(() => new Bootstrap(2).mean([1]), RangeError);
    assert.throws(() => new Bootstrap(2, { groups: ['a'] }), RangeError);
    assert.throws(() => new Bootstrap(1, { level: 1 }), RangeError);
  });
});
