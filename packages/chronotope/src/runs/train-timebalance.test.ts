import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { encode } from '@chronotope/video';
import { tinyRecipe, writeTinyVideos } from '../testing/tiny-videos.js';
import { evaluateRun } from './evaluate.js';
import { predictFiles } from './predict.js';
import { readRunData } from './run-data.js';
import { RunFolder } from './run-folder.js';
import { trainTimeBalance } from './train-timebalance.js';

/** Deletes a video and its stored frames, which are found by the hash of its content. */
function loseVideo(video: string, store: string): void {
  const hash = createHash('sha256').update(readFileSync(video)).digest('hex');
  const entry = readdirSync(store)
    .filter((file) => file.endsWith('.json'))
    .find((file) => readFileSync(path.join(store, file), 'utf8').includes(hash))!;
  const frames = readdirSync(store).find((file) => file.startsWith(entry.replace(/json$/, '')) && file !== entry)!;
  rmSync(path.join(store, frames));
  rmSync(video);
}

describe('a run, end to end', () => {
  let root = '';
  let data = '';
  const recipe = tinyRecipe();
  const train = (out: string, options = {}) =>
    trainTimeBalance({ data, out: path.join(root, out), recipe, ...options });

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope run é '));
    data = path.join(root, 'vidéos with spaces');
    await writeTinyVideos(data);
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

    const short = path.join(root, 'short.mp4');
    await encode(new Uint8Array(32 * 32 * 3), short, { width: 32, height: 32, fps: 20 });
    const [alone] = await predictFiles(path.join(root, 'run'), [short]);
    assert.deepEqual(alone, { file: short, error: { code: 'too-short', message: 'too short: 1 frames' } });
  });

  test('a run knows its videos in any working directory', async () => {
    await train('relative', { data: path.relative('.', data) });
    const { test: tests, train: training } = readRunData(RunFolder.open(path.join(root, 'relative')));
    for (const entry of [...tests, ...training]) assert.equal(entry.path, path.join(data, entry.id));
  });

  test('threads that make batches ahead change nothing: every network is the same, bit for bit', async () => {
    const names = ['without', 'with-two'];
    await train(names[0]!, { workers: 0 });
    await train(names[1]!, { workers: 2 });
    const [without, withTwo] = names.map((name) => {
      const stages = path.join(root, name, 'stages');
      const models = readdirSync(stages, { recursive: true, encoding: 'utf8' }).filter((file) =>
        /safetensors$/.test(file),
      );
      return models.sort().map((file) => [file, readFileSync(path.join(stages, file)).toString('base64')]);
    });
    assert.equal(without!.length, 9);
    assert.ok(without!.every(([file, bytes], k) => file === withTwo![k]![0] && bytes === withTwo![k]![1]));
  });

  test('runs that share a store decode each video once, and a run keeps the format it began with', async () => {
    const store = path.join(root, 'shared frames');
    const notes: string[] = [];
    const progress = {
      begin: (title: string) => ({ update: () => {}, end: (summary = '') => void notes.push(`${title}: ${summary}`) }),
      note: () => {},
    };
    const jpeg = { ...recipe, frames: { ...recipe.frames, format: 'jpeg' as const } };
    const first = await train('one', { recipe: jpeg, frames: store, progress });
    assert.ok(
      notes.some((note) => /^decoding: [1-9]\d* decoded, 0 known/.test(note)),
      notes.join('\n'),
    );
    notes.length = 0;
    const second = await train('two', { recipe: { ...jpeg, seed: 7 }, frames: store, progress });
    assert.deepEqual([first!.videos, second!.videos], [first!.videos, first!.videos]);
    assert.ok(
      notes.every((note) => !/ [1-9]\d* decoded/.test(note)),
      notes.join('\n'),
    );
    assert.deepEqual(JSON.parse(readFileSync(path.join(root, 'two/frames.json'), 'utf8')), { store, format: 'jpeg' });
    const again = await evaluateRun(path.join(root, 'one'));
    assert.deepEqual(again.stages, first!.stages);
    assert.ok(!existsSync(path.join(root, 'one/frames')));
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

  test('frames that are lost during a run are replaced, counted and listed; the run goes on', async () => {
    const lines: string[] = [];
    const note = (line: string): void => void lines.push(line);
    const begin = (title: string) => {
      const video = { 'pre-training, invariant': '_unlabelled/u0.mp4', testing: '_test/blue/t1.mp4' }[title];
      if (video) loseVideo(path.join(own, video), path.join(root, 'lossy', 'frames'));
      return { update: () => {}, end: () => {} };
    };
    const own = path.join(root, 'own videos');
    cpSync(data, own, { recursive: true });
    const evaluation = (await train('lossy', { data: own, progress: { begin, note } }))!;
    const stage = RunFolder.open(path.join(root, 'lossy')).stage('pretrain-invariant').result();
    const [damaged, ...others] = stage.damaged as { id: string; reason: string; samples: number }[];
    assert.deepEqual(others, []);
    assert.match(damaged!.id, /u0\.mp4$/);
    assert.ok(damaged!.samples > 0);
    const told = lines.filter((line) => line.startsWith('  pre-training, invariant: other videos stand in for'));
    assert.equal(told.length, 1);
    assert.equal(evaluation.videos, 1);
    assert.match(evaluation.excluded[0]!.reason, /t1\.mp4" are damaged/);
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

  test('an aborted run says so and can be continued', async () => {
    const controller = new AbortController();
    controller.abort();
    await assert.rejects(train('stopped', { signal: controller.signal }), { code: 'interrupted' });
    assert.ok(await train('stopped'));
  });
});
