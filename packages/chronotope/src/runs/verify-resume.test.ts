import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { loadRecipe } from '../recipes/load.js';
import { tinyRecipe, writeTinyVideos } from '../testing/tiny-videos.js';
import { verifyResume } from './verify-resume.js';

const root = mkdtempSync(path.join(tmpdir(), 'chronotope-verify-'));
const data = path.join(root, 'videos');
before(() => writeTinyVideos(data));
after(() => rmSync(root, { recursive: true, force: true }));

test('killed at random moments and resumed, every network is the same, bit for bit', async () => {
  const report = await verifyResume({ data, recipe: tinyRecipe(), folder: path.join(root, 'runs'), kills: 2 });
  assert.deepEqual(report.different, []);
  assert.equal(report.models, 9);
  assert.equal(report.kills.length, 2);
});

test('so are the encoders and the queues of CCL, which are one file', async () => {
  const recipe = loadRecipe('ccl-small', [
    ...['model.width=2', 'model.embedding=8', 'pretrain.epochs=8', 'pretrain.batch=2', 'queue.intra=4'],
    'training.accumulate=2',
  ]);
  const report = await verifyResume({ data, recipe, folder: path.join(root, 'ccl'), kills: 1 });
  assert.deepEqual(report.different, []);
  assert.equal(report.models, 1);
  assert.equal(report.kills.length, 1);
});
