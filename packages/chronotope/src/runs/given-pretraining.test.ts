import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadSafetensors, scope } from '@chronotope/torch';
import { newPretextModel } from '../methods/timebalance/networks.js';
import { exportWeights } from '../models/weights/index.js';
import { loadRecipeOf } from '../recipes/load.js';
import { type TimeBalanceRecipe, timebalanceRecipe } from '../recipes/timebalance.js';
import { tinyRecipe, writeTinyVideos } from '../testing/tiny-videos.js';
import { givenPretraining } from './given-pretraining.js';
import { reportRun } from './report/report-run.js';
import { RunFolder } from './run-folder.js';
import { trainTimeBalance } from './train-timebalance.js';

const PRETEXTS = ['invariant', 'distinctive', 'student'] as const;

let root = '';
before(() => {
  root = mkdtempSync(path.join(tmpdir(), 'chronotope-given-'));
});
after(() => rmSync(root, { recursive: true, force: true }));

/** R3D-18 with hardly any channels, and settings on top. */
const narrow = (...overrides: string[]) =>
  loadRecipeOf('timebalance', 'timebalance-small', [
    ...['model.backbone=r3d18', 'model.width=2', 'model.depths=[1, 1, 1, 1]', 'model.embedding=4'],
    ...['inputSize=32', 'clips.frames=13'],
    ...overrides,
  ]);

test('official checkpoints bring backbone and head; their colours are those of the format unless the recipe says', async () => {
  const file = path.join(root, 'tclr.pth');
  scope(() => exportWeights(newPretextModel(narrow(), 'per-clip'), file, { format: 'tclr' }));
  const [given, ...others] = await givenPretraining(path.join(root, 'none'), narrow(`pretrain.student.from=${file}`));
  assert.deepEqual(others, []);
  assert.deepEqual([given!.pretext, given!.report.format, given!.report.channels], ['student', 'tclr', 'bgr']);
  assert.ok(given!.report.matched.includes('head.fc2.weight') && given!.report.missing.length === 0);
  const overrides = [`pretrain.invariant.from=${file}`, 'pretrain.invariant.fromChannels=rgb'];
  const [asRgb] = await givenPretraining(path.join(root, 'none'), narrow(...overrides));
  assert.deepEqual([asRgb!.pretext, asRgb!.report.channels], ['invariant', 'rgb']);
});

test('what does not fit is refused before anything is written', async () => {
  const given = (recipe: TimeBalanceRecipe) => givenPretraining(path.join(root, 'none'), recipe);
  await assert.rejects(given(narrow('pretrain.invariant.from=nowhere.pth')), { code: 'weights-missing' });
  await assert.rejects(given(narrow(`pretrain.invariant.from=${root}`)), { code: 'not-a-run-folder' });

  const backboneOnly = path.join(root, 'backbone.pth');
  scope(() => exportWeights(newPretextModel(narrow(), 'per-clip').backbone, backboneOnly));
  const wide = [`pretrain.invariant.from=${backboneOnly}`, 'model.width=4'];
  await assert.rejects(given(narrow(...wide)), { code: 'weights-differ' });
  const fits = [`pretrain.invariant.from=${backboneOnly}`];
  assert.ok((await given(narrow(...fits)))[0]!.report.missing.includes('head.fc1.weight'));
  const asked = [...fits, 'similarity.source=projection'];
  await assert.rejects(given(narrow(...asked)), { code: 'projection-head-missing', message: /head\.fc1/ });
  assert.equal((await given(narrow(...asked, 'similarity.teachers=distinctive'))).length, 1);

  const vit = ['model.backbone=space-time-vit', 'model.width=64', 'model.patch=16', 'model.depths=[1, 1, 1, 1]'];
  const images = path.join(root, 'vit.pth');
  scope(() => exportWeights(newPretextModel(narrow(...vit), 'per-clip').backbone, images, { format: 'timm' }));
  await assert.rejects(given(narrow(...vit, `pretrain.student.from=${images}`)), { code: 'weights-normalised' });
});

describe('a run that is given its pre-trained networks', () => {
  const tiny = tinyRecipe();
  const run = () => path.join(root, 'given');
  const model = (folder: string, stage: string) => path.join(folder, 'stages', stage, 'model.safetensors');
  let recipe: TimeBalanceRecipe;
  let data = '';

  before(async () => {
    data = path.join(root, 'videos');
    await writeTinyVideos(data);
    const first = path.join(root, 'first');
    await trainTimeBalance({ data, out: first, recipe: { ...tiny, baselines: [] } });
    const file = path.join(root, 'invariant.pth');
    scope(() => {
      const network = newPretextModel(tiny, 'joint');
      const { tensors } = loadSafetensors(model(first, 'pretrain-invariant'));
      network.loadStateDict(tensors);
      exportWeights(network, file, { format: 'chronotope' });
    });
    const from = { invariant: file, distinctive: first, student: `${first}:pretrain-student` };
    const pretrain = Object.fromEntries(
      PRETEXTS.map((pretext) => [pretext, { ...tiny.pretrain[pretext], from: from[pretext] }]),
    );
    recipe = timebalanceRecipe.parse({ ...tiny, baselines: [], pretrain });
  });

  test('pre-trains nothing, has the same networks, and says where they are from', async () => {
    const titles: string[] = [];
    const notes: string[] = [];
    const begin = (title: string) => {
      titles.push(title);
      return { update: () => {}, end: () => {} };
    };
    await trainTimeBalance({ data, out: run(), recipe, progress: { begin, note: (line) => void notes.push(line) } });
    assert.deepEqual(
      titles.filter((title) => title.startsWith('pre-training')),
      [],
    );
    assert.equal(
      notes.filter((note) => /^pre-training.*weights of .*\n.*weights of the network loaded/.test(note)).length,
      3,
    );
    for (const stage of [...PRETEXTS.map((pretext) => `pretrain-${pretext}`), 'draw-1/student']) {
      assert.deepEqual(readFileSync(model(run(), stage)), readFileSync(model(path.join(root, 'first'), stage)), stage);
    }
    const { from, sha256, weights } = RunFolder.open(run()).stage('pretrain-distinctive').result() as {
      from: string;
      sha256: string;
      weights: { file: string; missing: string[] };
    };
    assert.equal(from, path.join(root, 'first'));
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.deepEqual([weights.file, weights.missing], [model(from, 'pretrain-distinctive'), []]);
  });

  test('goes on without the files', async () => {
    rmSync(path.join(root, 'invariant.pth'));
    rmSync(path.join(root, 'first'), { recursive: true });
    rmSync(path.join(run(), 'stages/draw-1'), { recursive: true });
    const written = statSync(model(run(), 'pretrain-invariant')).mtimeMs;
    await trainTimeBalance({ data, out: run(), recipe });
    assert.equal(statSync(model(run(), 'pretrain-invariant')).mtimeMs, written);
    assert.ok(existsSync(model(run(), 'draw-1/student')));
  });

  test('names the files in its report', async () => {
    const out = path.join(root, 'report.html');
    await reportRun(run(), { out });
    const page = readFileSync(out, 'utf8');
    assert.match(page, /none: weights from [^<]*invariant\.pth/);
    assert.match(page, /<td[^>]*>from [^<]*invariant\.pth/);
  });
});
