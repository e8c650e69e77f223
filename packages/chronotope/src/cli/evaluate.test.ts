import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadRecipeOf } from '../recipes/load.js';
import { trainCcl } from '../runs/train-ccl.js';
import { writeTinyVideos } from '../testing/tiny-videos.js';
import { createProgram } from './main.js';

describe('chronotope evaluate', () => {
  let root = '';
  const at = (name: string) => path.join(root, name);
  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope-cli-evaluate-'));
    await writeTinyVideos(at('videos'));
    const recipe = loadRecipeOf('ccl', 'ccl-small', [
      ...['model.width=2', 'model.embedding=8', 'pretrain.epochs=1', 'pretrain.batch=2', 'queue.intra=4'],
      ...['evaluation.clips=2', 'training.checkpoints.every=2'],
    ]);
    await trainCcl({ data: at('videos'), out: at('run'), recipe, workers: 0 });
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('--protocol fine-tune takes its settings, and prints what came out with what it was trained on', async (t) => {
    const written: string[] = [];
    t.mock.method(process.stdout, 'write', (text: string) => written.push(text) > 0);
    t.mock.method(process.stderr, 'write', () => true);
    const settings = '--steps 2 --batch 2 --learning-rate 0.01 --backbone-factor 0.5 --weight-decay 0';
    const args = ['evaluate', at('run'), '--protocol', 'fine-tune', '--checkpoint', '2', ...settings.split(' ')];
    await createProgram().parseAsync(args, { from: 'user' });
    t.mock.restoreAll();
    const text = written.join('');
    assert.match(text, /fine-tuned from .*top-1 .*95 % interval .*top-5/);
    assert.match(text, /image encoder, ccl: step 2 .*\d %/);
    assert.match(text, /2 test videos, 2 classes \(chance 50\.0 %\); 4 labelled training videos \(all labels\)/);
    assert.match(text, /2 steps of 2, learning rate 0\.01, 0\.005 for the backbone\./);
  });
});
