import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { comparisonTables } from './compare.js';
import { createProgram } from './main.js';

const EXAMPLE = fileURLToPath(new URL('../../../../examples/ablations.yaml', import.meta.url));

test('--plan lists the runs of a set and trains nothing', async (t) => {
  const written: string[] = [];
  t.mock.method(process.stdout, 'write', (text: string) => written.push(text) > 0);
  await createProgram().parseAsync(['compare', EXAMPLE, '--plan'], { from: 'user' });
  t.mock.restoreAll();
  const lines = written.join('').split('\n');
  assert.equal(lines.filter((line) => line.includes('to do')).length, 12);
  assert.equal(lines.filter((line) => line.includes('its own')).length, 3);
});

test('the tables put the best first, say how far behind the others are, and end with the curve', () => {
  const cell = (value: number, rank: number, behind: number | null) => ({
    values: [value - 0.05, value + 0.05],
    top1: { value, low: value - 0.1, high: value + 0.1 },
    deviation: 0.0707,
    rank,
    behindBest: behind === null ? null : { value: behind, low: behind - 0.02, high: behind + 0.02 },
  });
  const row = (title: string, cells: (ReturnType<typeof cell> | null)[]) => ({ run: 'a', stage: title, title, cells });
  const text = comparisonTables({
    ...{ classes: ['x', 'y'], testVideos: 40, protocol: '', runs: [], page: null, differences: [] },
    intervals: { level: 0.95, resamples: 2000, seed: 0 },
    budgets: [
      { name: '2-per-class', labelled: 4 },
      { name: '5-per-class', labelled: 10 },
    ],
    rows: [row('second', [cell(0.5, 2, -0.1), null]), row('first', [cell(0.6, 1, null), cell(0.7, 1, null)])],
  });
  const lines = text.split('\n');
  const place = (part: string) => lines.findIndex((line) => line.includes(part));
  assert.ok(place('first') < place('second'));
  assert.match(lines[place('second')]!, /2 .*second .*50\.0 % ± 7\.1 .*40\.0 to 60\.0 % .*-10\.0, -12\.0 to -8\.0 .*2/);
  assert.match(text, /top-1 with labelled videos .*4 .*10/);
  assert.match(lines.filter((line) => line.includes('second')).at(-1)!, /50\.0 % ± 7\.1 .*│ - /);
  assert.match(text, /chance 50\.0 %/);
});
