import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cat, distributed, loadSafetensors, scope } from '@chronotope/torch';
import { formatRecipe } from '../recipes/load.js';
import { tinyClipRecipe } from '../testing/tiny-clip-recipe.js';
import { writeTinyVideos } from '../testing/tiny-videos.js';
import { RunFolder } from './run-folder.js';
import { trainClip } from './train-clip.js';

describe('training a CLIP', () => {
  let root = '';
  const inRoot = (name: string) => path.join(root, name);

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope-clip-'));
    await writeTinyVideos(inRoot('videos'));
    const ids = ['red/r0', 'red/r1', 'blue/b0', 'blue/b1'];
    const lines = ids.map((id, k) => JSON.stringify({ path: `${id}.mp4`, text: `film ${k} of ${id}` }));
    writeFileSync(inRoot('videos/captions.jsonl'), lines.join('\n'));
  });
  after(() => rmSync(root, { recursive: true }));

  const train = (out: string, ...overrides: string[]) => {
    const recipe = tinyClipRecipe('train.epochs=3', ...overrides);
    return trainClip({ data: inRoot('videos'), frames: inRoot('frames'), out: inRoot(out), recipe, workers: 0 });
  };

  const skip = distributed.availableBackends().includes('gloo') ? false : 'this libtorch has no gloo';
  test('two processes, each with half of a batch, learn what one learns from all of it', { skip }, async () => {
    await train('one');
    writeFileSync(inRoot('tiny.yaml'), formatRecipe(tinyClipRecipe('train.epochs=3')));
    const launcher = fileURLToPath(new URL('../../../torch/bin/chronotope-run.js', import.meta.url));
    const program = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));
    const flags = ['--data', inRoot('videos'), '--frames', inRoot('frames'), '--recipe', inRoot('tiny.yaml')];
    const child = spawn(
      process.execPath,
      [launcher, '--nproc', '2', program, 'train', 'clip', '--out', inRoot('two'), '--workers', '0', ...flags],
      { env: { ...process.env, OMP_NUM_THREADS: '1' }, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    assert.deepEqual(await once(child, 'close'), [0, null]);
    // All weights together: those without a gradient, such as the bias of keys, only follow rounding.
    const difference = scope(() => {
      const [one, two] = ['one', 'two'].map(weightsOf);
      return one!.sub(two!).norm(2).div(one!.norm(2)).item();
    });
    assert.ok(difference < 1e-3, `${difference}`);
  });

  test('a batch that processes or parts cannot share equally is refused', async () => {
    await assert.rejects(train('parts', 'training.accumulate=3'), {
      code: 'batch-not-divisible',
      hint: /training\.accumulate/,
    });
  });

  const weightsOf = (run: string) => {
    const { tensors } = loadSafetensors(RunFolder.open(inRoot(run)).stage('pretrain').modelFile);
    return cat([...tensors.values()].map((values) => values.reshape([-1])));
  };
});
