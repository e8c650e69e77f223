import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadStateDict, type nn, scope } from '@chronotope/torch';
import { newClassifier, newPretextModel } from '../methods/timebalance/networks.js';
import { importWeights } from '../models/weights/index.js';
import { formatRecipe, loadRecipeOf } from '../recipes/load.js';
import { saveModel } from '../training/checkpoint.js';
import { exportRun } from './export-weights.js';
import { RunFolder } from './run-folder.js';

const root = mkdtempSync(path.join(tmpdir(), 'export-'));
after(() => rmSync(root, { recursive: true }));

const overrides = ['model.backbone=r3d18', 'model.width=1', 'model.depths=[1, 1, 1, 1]', 'model.embedding=4'];
const recipe = loadRecipeOf('timebalance', 'timebalance-small', overrides);

/** A run with a finished student of the second label draw, and a finished pre-training. */
function writeRun(folder: string, student: nn.Module, pretext: nn.Module): void {
  const run = RunFolder.createOrContinue(folder, { method: 'timebalance', classes: ['a', 'b'], fingerprint: 'x' });
  writeFileSync(run.path('recipe.yaml'), formatRecipe(recipe));
  for (const [name, network] of [
    ['draw-2/student', student],
    ['pretrain-distinctive', pretext],
  ] as const) {
    const stage = run.stage(name);
    stage.begin();
    saveModel(stage, network);
    stage.finish({});
  }
}

test("a run's student and pre-training are exported under official keys and come back bit for bit", () => {
  scope(() => {
    const student = newClassifier(recipe, 2, { dropout: 0 });
    const pretext = newPretextModel(recipe, 'per-clip');
    const folder = path.join(root, 'run');
    writeRun(folder, student, pretext);

    const out = path.join(root, 'student.pth');
    const written = exportRun(folder, { draw: 1, out });
    assert.deepEqual([written.format, written.keys.at(-1), written.leftOut], ['torchvision', 'fc.bias', []]);
    assert.ok(loadStateDict(out).tensors.has('layer4.0.conv1.0.weight'));
    const back = newClassifier(recipe, 2, { dropout: 0 });
    importWeights(back, out, { require: 'all' });
    assertSameState(back, student);

    const official = path.join(root, 'pretext.pth');
    exportRun(folder, { stage: 'pretrain-distinctive', out: official, format: 'tclr' });
    assert.ok(loadStateDict(official, { key: 'state_dict' }).tensors.has('1.fc2.weight'));
    const again = newPretextModel(recipe, 'per-clip');
    importWeights(again, official, { require: 'all' });
    assertSameState(again, pretext);

    assert.throws(() => exportRun(folder, { out }), { code: 'stage-missing', message: /draw-1\/student/ });
    assert.throws(() => exportRun(root, { out }), { code: 'not-a-run-folder' });
    const hint = 'Did you mean student?';
    assert.throws(() => exportRun(folder, { out, stage: 'studnet' }), { code: 'stage-unknown', hint });
  });
});

function assertSameState(actual: nn.Module, expected: nn.Module): void {
  const wanted = expected.stateDict();
  for (const [key, value] of actual.stateDict()) assert.deepEqual(value.toArray(), wanted.get(key)!.toArray(), key);
}
