import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { tinyRecipe, writeTinyVideos } from '../testing/tiny-videos.js';
import { verifyResume } from './verify-resume.js';

test('killed at random moments and resumed, every network is the same, bit for bit', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'chronotope-verify-'));
  try {
    const data = path.join(root, 'videos');
    await writeTinyVideos(data);
    const report = await verifyResume({ data, recipe: tinyRecipe(), folder: path.join(root, 'runs'), kills: 2 });
    assert.deepEqual(report.different, []);
    assert.equal(report.models, 9);
    assert.equal(report.kills.length, 2);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
