import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineChart } from './line-chart.js';
import { scatterChart } from './scatter-chart.js';
import { tickLabel, ticks } from './ticks.js';

test('ticks are round, inside the range, and their labels differ', () => {
  assert.deepEqual(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.equal(tickLabel(-0.5, [-0.5, 0]), '−0.5');
  const number = fc.double({ min: -1e4, max: 1e4, noNaN: true });
  fc.assert(
    fc.property(number, fc.double({ min: 1e-3, max: 1e4, noNaN: true }), (low, span) => {
      const all = ticks(low, low + span, 5);
      assert.ok(all.length <= 7);
      for (const tick of all) assert.ok(tick >= low - 1e-6 * span && tick <= low + span * (1 + 1e-6));
      assert.equal(new Set(all.map((tick) => tickLabel(tick, all))).size, all.length);
    }),
  );
});

test('a line goes from the lower left to the upper right corner, without values that are not finite', () => {
  const { text } = lineChart({
    description: 'rising',
    lines: [
      {
        name: 'a',
        points: [
          [0, 0],
          [5, Number.NaN],
          [10, 1],
        ],
      },
    ],
    xTitle: 'step',
  });
  assert.match(text, /points="44\.0,156\.0 330\.0,8\.0"/);
});

test('charts of one value, and of none, hold only finite numbers', () => {
  const one = lineChart({ description: 'one', lines: [{ name: 'a', points: [[1, 2]] }], xTitle: 'step' });
  const none = lineChart({ description: 'none', lines: [{ name: 'a', points: [] }], xTitle: 'step' });
  const scatter = scatterChart({
    ...{ description: 'one', xTitle: 'x', yTitle: 'y' },
    points: [{ name: 'a', x: 1, y: 0 }],
  });
  for (const { text } of [one, none, scatter]) assert.doesNotMatch(text, /NaN|Infinity/);
});
