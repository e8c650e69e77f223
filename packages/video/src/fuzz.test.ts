import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liveChildCount } from './children.js';
import { temporaryFolder } from './fixtures.test.helper.js';
import { fuzzVideos } from './fuzz.test.helper.js';

test('damaged videos end in frames or a typed error: no crash, no hang, no frame of another video', async (t) => {
  // bench/video-fuzz.mjs runs thousands.
  const report = await fuzzVideos({ folder: await temporaryFolder(t), count: 60, seed: 20 });
  assert.deepEqual(report.violations, []);
  assert.equal(liveChildCount(), 0);
  const outcomes = new Set(Object.values(report.outcomes).flatMap(Object.keys));
  for (const outcome of ['complete', 'damage: corrupt', 'truncated']) assert.ok(outcomes.has(outcome), outcome);
  assert.ok(report.frames > 300, `${report.frames} frames`);
});
