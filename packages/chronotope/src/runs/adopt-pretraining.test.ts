import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { ManifestEntry } from '../data/manifest.js';
import { formatRecipe, loadRecipeOf } from '../recipes/load.js';
import { writeFileAtomic } from '../training/json-files.js';
import { checkPretraining } from './adopt-pretraining.js';
import { writeRunData } from './run-data.js';
import { RunFolder } from './run-folder.js';

const root = mkdtempSync(path.join(tmpdir(), 'chronotope-adopt-'));
after(() => rmSync(root, { recursive: true }));

const recipeWith = (...overrides: string[]) => loadRecipeOf('timebalance', 'timebalance-demo', overrides);
const videos = (...ids: string[]): ManifestEntry[] =>
  ids.map((id) => ({ id, path: `/data/${id}`, label: id.startsWith('_') ? null : id.split('/')[0]!, split: 'train' }));

const IDS = ['red/a.mp4', 'blue/b.mp4', '_unlabelled/c.mp4', '_unlabelled/d.mp4'];
const trained = RunFolder.createOrContinue(path.join(root, 'run'), {
  method: 'timebalance',
  classes: ['blue', 'red'],
  fingerprint: '',
});
writeFileAtomic(trained.path('recipe.yaml'), formatRecipe(recipeWith()));
const training = videos(...IDS);
writeRunData(trained, { folder: '/data', training, draws: [training], test: [], choice: {} });

const refuses = (overrides: string[], ids: string[], message: RegExp) =>
  assert.throws(() => checkPretraining(trained, recipeWith(...overrides), videos(...ids)), {
    code: 'pretraining-differs',
    message,
  });

test('every setting that changes the pre-training is checked, and named with both values', () => {
  refuses(['inputSize=16'], IDS, /\n {2}inputSize: 24 there, 16 here$/);
  refuses(['seed=2'], IDS, /\n {2}seed: 1 there, 2 here$/);
  refuses(['frames.shortSide=32'], IDS, /frames\.shortSide: 28 there, 32 here/);
  refuses(['clips.localClips=2'], IDS, /clips\.localClips: 4 there, 2 here/);
  refuses(['model.widths=[16, 32]'], IDS, /model\.widths: \[16,32,64\] there, \[16,32\] here/);
  refuses(['pretrain.student.augment.crop=[0.5, 1]'], IDS, /pretrain\.student\.augment\.crop: \[0\.6,1\] there/);
  refuses(
    ['training.ema.decay=0.9', 'training.accumulate=2'],
    IDS,
    /accumulate: 1 there, 2 here\n.*ema\.decay: null there/,
  );
});

test('other training videos are refused, with examples', () => {
  refuses([], [...IDS, 'red/e.mp4'], /\n {2}training videos: e\.mp4 only here$/);
  refuses([], IDS.slice(2), /\n {2}training videos: 2, such as a\.mp4, only there$/);
});

test('labels, later stages and what is only written or measured do not matter', () => {
  const harmless = [
    'student.steps=1',
    'teacher.dropout=0',
    'training.threads=2',
    'training.tensorboard=true',
    'training.checkpoints.every=1',
    'training.validation.every=5',
  ];
  // A video that gets a label moves into the folder of its class.
  const moved = IDS.map((id) => id.replace('_unlabelled/c', 'red/c')).reverse();
  assert.doesNotThrow(() => checkPretraining(trained, recipeWith(...harmless), videos(...moved)));
});
