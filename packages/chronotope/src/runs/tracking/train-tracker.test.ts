import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadSafetensors, manualSeed, saveSafetensors, scope } from '@chronotope/torch';
import { ResNet18 } from '../../models/image-resnet.js';
import { loadRecipeOf } from '../../recipes/load.js';
import { demoSequences } from '../../testing/demo-sequences.js';
import type { MetricsLine } from '../../training/fit.js';
import { RunFolder } from '../run-folder.js';
import { weightsFile } from '../weights-file.js';
import { trainTracker } from './train-tracker.js';

const data = await demoSequences({ train: 4, test: 1, frames: 4 });
const folder = mkdtempSync(join(tmpdir(), 'chronotope-tracker-'));
after(() => rmSync(folder, { recursive: true }));

const TINY = ['model.width=4', 'model.head=8', 'model.outScale=0.01', 'pairs.batch=4', 'pairs.perSequence=2'];
const recipe = (...overrides: string[]) => loadRecipeOf('tracker', 'tracker-small', [...TINY, ...overrides]);
const model = (run: string) => join(run, 'stages', 'tracker', 'model.safetensors');

test('training learns, and an interrupted run ends with the same weights, bit for bit', async () => {
  const whole = join(folder, 'whole');
  const cut = join(folder, 'cut');
  const learning = ['pairs.epochs=10', 'pairs.learningRate=0.01', 'pairs.loss=balanced', 'model.frozen=false'];
  const settings = recipe(...learning);
  await trainTracker({ data, recipe: settings, out: whole });
  const lines = readFileSync(join(whole, 'stages', 'tracker', 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const losses = lines.map((line) => (JSON.parse(line) as MetricsLine).metrics.loss!);
  assert.ok(losses.at(-1)! < 0.9 * losses[0]!, `losses ${losses}`);

  const stop = new AbortController();
  const progress = {
    begin: () => ({ update: () => stop.abort(), end: () => {} }),
    note: () => {},
  };
  await assert.rejects(trainTracker({ data, recipe: settings, out: cut, progress, signal: stop.signal }), {
    code: 'interrupted',
  });
  assert.ok(!RunFolder.open(cut).stage('tracker').isDone);
  await trainTracker({ data, recipe: settings, out: cut });
  assert.ok(readFileSync(model(whole)).equals(readFileSync(model(cut))));
});

test('weights come from a file or from a stage of a run; a frozen backbone keeps them', async () => {
  const file = join(folder, 'resnet.safetensors');
  manualSeed(9);
  const backbone = new ResNet18({ width: 4 });
  scope(() => saveSafetensors(file, backbone.stateDict()));
  const out = join(folder, 'probe');
  const notes: string[] = [];
  const progress = {
    begin: () => ({ update: () => {}, end: () => {} }),
    note: (line: string) => void notes.push(line),
  };
  const settings = recipe('pairs.epochs=1', `model.pretrained=${file}`);
  await trainTracker({ data, recipe: settings, out, progress });
  assert.match(notes.join('\n'), /resnet\.safetensors/);
  assert.equal(weightsFile(`${out}:tracker`), model(out));

  const again = join(folder, 'again');
  await trainTracker({ data, recipe: recipe('pairs.epochs=0', `model.pretrained=${out}:tracker`), out: again });
  const kept = loadSafetensors(model(again)).tensors;
  for (const [key, value] of backbone.stateDict()) {
    assert.deepEqual(kept.get(`backbone.${key}`)!.data(), value.data(), key);
  }
});

test('what does not fit is refused: weights that are none, OTB for training, a recipe that learns nothing', async () => {
  const train = (...overrides: string[]) =>
    trainTracker({ data, recipe: recipe(...overrides), out: join(folder, 'x') });
  await assert.rejects(train('model.pretrained=/no/such/file'), { code: 'weights-missing' });
  await assert.rejects(train(`model.pretrained=${folder}/whole:nothing`), { code: 'weights-missing' });
  await assert.rejects(train('pairs.batch=100'), { code: 'too-few-pairs' });
  await assert.rejects(trainTracker({ data: join(data, 'val'), recipe: recipe(), out: join(folder, 'y') }), {
    code: 'no-training-sequences',
  });
  assert.throws(() => recipe('model.head=null'), /pairs\.epochs: must be 0/);
});
