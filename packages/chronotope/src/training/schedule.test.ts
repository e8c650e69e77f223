import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warmupCosine } from './schedule.js';

test('warm-up rises linearly to 1 and the cosine falls from 1 through 1/2 towards 0', () => {
  const schedule = warmupCosine({ steps: 24, warmupSteps: 4 });
  assert.deepEqual([0, 1, 2, 3].map(schedule), [0.25, 0.5, 0.75, 1]);
  assert.equal(schedule(4), 1);
  assert.ok(Math.abs(schedule(14) - 0.5) < 1e-12);
  assert.ok(schedule(23) > 0 && schedule(23) < 0.01);
  assert.ok(schedule(24) < 1e-12);
});

test('without warm-up the first step uses the full rate', () => {
  assert.equal(warmupCosine({ steps: 10 })(0), 1);
});
