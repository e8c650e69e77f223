import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadRecipe } from '../recipes/load.js';
import { writeFilm } from '../testing/write-film.js';
import { predictFiles } from './predict.js';
import { RunFolder } from './run-folder.js';
import { trainTimeBalance } from './train.js';
import { verifyResume } from './verify-resume.js';

const TINY = [
  'pretrain.invariant.epochs=1',
  'pretrain.distinctive.epochs=1',
  'pretrain.student.epochs=1',
  'supervised.steps=30',
  'teacher.steps=2',
  'student.steps=2',
  'supervised.batch=4',
  'supervised.augment.hue.probability=0',
  'supervised.augment.channelPermutation=0',
  'supervised.augment.grayscale.probability=0',
  'evaluation.clips=2',
].concat(['invariant', 'distinctive', 'student'].map((stage) => `pretrain.${stage}.batch=4`));

describe('a run, end to end', () => {
  let root = '';
  let data = '';
  const recipe = loadRecipe('timebalance-demo', TINY);
  const train = (out: string, options = {}) =>
    trainTimeBalance({ data, out: path.join(root, out), recipe, ...options });

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope run é '));
    data = path.join(root, 'vidéos with spaces');
    for (const k of [0, 1]) {
      await writeFilm(path.join(data, 'red', `r${k}.mp4`), true, k);
      await writeFilm(path.join(data, 'blue', `b${k}.mp4`), false, k);
      await writeFilm(path.join(data, '_unlabelled', `u${k}.mp4`), k === 0, 5 + k);
      await writeFilm(path.join(data, '_test', k === 0 ? 'red' : 'blue', `t${k}.mp4`), k === 0, 9 + k);
    }
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('trains every stage, resumes without redoing a finished one, and predicts', async () => {
    const first = await train('run');
    assert.equal(first!.stages.find(({ stage }) => stage === 'supervised')!.draws[0]!.top1, 1);
    assert.equal(first!.stages.length, 6);

    const model = path.join(root, 'run/stages/draw-1/student/model.safetensors');
    const written = statSync(model).mtimeMs;
    const weights = readFileSync(model);
    assert.deepEqual((await train('run'))!.stages, first!.stages);
    assert.equal(statSync(model).mtimeMs, written, 'a finished stage is left alone');

    rmSync(path.join(root, 'run/stages/draw-1/student/stage.json'));
    await train('run');
    assert.deepEqual(readFileSync(model), weights, 'an interrupted stage gives the same weights when done again');

    const files = [path.join(data, '_test/red/t0.mp4'), path.join(root, 'missing.mp4')];
    const [good, bad] = await predictFiles(path.join(root, 'run'), files, { stage: 'supervised' });
    assert.ok('classes' in good! && good.classes[0]!.name === 'red');
    assert.ok('error' in bad! && bad.error.code === 'not-found');
  });

  test('zero-byte and truncated videos change nothing but a line', async () => {
    const clean = await train('clean');
    writeFileSync(path.join(data, '_unlabelled/empty.mp4'), '');
    const cut = path.join(data, '_unlabelled/truncated.mp4');
    writeFileSync(cut, readFileSync(path.join(data, 'red/r0.mp4')));
    truncateSync(cut, 400);
    const lines: string[] = [];
    const progress = {
      begin: () => ({ update: () => {}, end: () => {} }),
      note: (line: string) => void lines.push(line),
    };
    try {
      const broken = await train('broken', { progress });
      assert.deepEqual(broken!.stages, clean!.stages);
      assert.equal(lines.filter((line) => line.includes('left out')).length, 2);
    } finally {
      rmSync(path.join(data, '_unlabelled/empty.mp4'));
      rmSync(cut);
    }
  });

  test('another recipe in the same folder, and a folder of something else, are refused', async () => {
    await train('mine');
    const other = { ...recipe, seed: 2 };
    await assert.rejects(train('mine', { recipe: other }), { code: 'run-differs' });
    await assert.rejects(trainTimeBalance({ data, out: data, recipe }), { code: 'not-a-run-folder' });
    assert.throws(() => RunFolder.open(data), { code: 'not-a-run-folder' });
  });

  test('a run with other labels takes over the pre-trained networks of another one', async () => {
    await train('first', { labelsPerClass: 1 });
    await assert.rejects(train('none', { pretrained: data }), { code: 'not-a-run-folder' });
    const other = { ...recipe, inputSize: 16 };
    await assert.rejects(train('other', { recipe: other, pretrained: path.join(root, 'first') }), {
      code: 'pretraining-differs',
      message: /inputSize/,
    });

    assert.ok(await train('second', { pretrained: path.join(root, 'first') }));
    const weights = (run: string, stage: string) =>
      readFileSync(path.join(root, run, 'stages', stage, 'model.safetensors'));
    assert.deepEqual(weights('second', 'pretrain-invariant'), weights('first', 'pretrain-invariant'));
    assert.notDeepEqual(weights('second', 'draw-1/supervised'), weights('first', 'draw-1/supervised'));
  });

  test('killed at random moments and resumed, every network is the same, bit for bit', async () => {
    const report = await verifyResume({ data, recipe, folder: path.join(root, 'verify'), kills: 3 });
    assert.deepEqual(report.different, []);
    assert.equal(report.models, 9);
    assert.ok(report.kills > 0);
  });

  test('an aborted run says so and can be continued', async () => {
    const controller = new AbortController();
    controller.abort();
    await assert.rejects(train('stopped', { signal: controller.signal }), { code: 'interrupted' });
    assert.ok(await train('stopped'));
  });
});
