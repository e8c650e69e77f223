import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadSafetensors, scope } from '@chronotope/torch';
import { FrameStore } from '@chronotope/video';
import { FEATURE_PROTOCOLS } from '../evaluation/feature-protocols.js';
import { tinyRecipe, writeTinyVideos } from '../testing/tiny-videos.js';
import { readJson, writeJsonAtomic } from '../training/json-files.js';
import { type Progress, silentProgress } from '../training/progress.js';
import { embedVideos } from './embed.js';
import { evaluateRun } from './evaluate.js';
import { evaluateFeatures } from './evaluate-features.js';
import { RunFolder } from './run-folder.js';
import { runFrames } from './run-frames.js';
import { trainTimeBalance } from './train-timebalance.js';

describe('evaluation of a run', () => {
  let root = '';
  let data = '';
  let run = '';

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope evaluate '));
    data = path.join(root, 'videos');
    run = path.join(root, 'run');
    await writeTinyVideos(data);
    const recipe = tinyRecipe();
    await trainTimeBalance({ data, out: run, recipe, labelsPerClass: 1, labelDraws: 2 });
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('k-NN, linear probe and retrieval see the colours in the networks, pre-trained ones included', async () => {
    for (const protocol of FEATURE_PROTOCOLS) {
      const some = ['pretrain-distinctive', 'student'] as const;
      const {
        stages,
        protocol: used,
        ids,
      } = await evaluateFeatures(run, {
        protocol,
        stages: protocol === 'knn' ? undefined : some,
      });
      assert.equal(stages.length, protocol === 'knn' ? 9 : 2);
      assert.deepEqual(used.training, [4], 'all labels of the folder');
      assert.deepEqual(ids.toSorted(), ['_test/blue/t1.mp4', '_test/red/t0.mp4']);
      for (const { stage, draws, measures } of stages) {
        assert.equal(draws.length, stage.startsWith('pretrain-') ? 1 : 2);
        assert.equal(measures[0]!.value, 1, `${protocol}, ${stage}`);
        assert.ok(measures[0]!.low < 0.2, 'two videos prove little');
      }
      // Only an evaluation of all networks is kept.
      assert.equal(existsSync(path.join(run, `evaluation-${protocol}.json`)), protocol === 'knn');
    }
  });

  test('known labels are those of each draw; too many neighbours for them are left out, or refused', async () => {
    const options = { protocol: 'knn', labels: 'known', stages: ['pretrain-student'] } as const;
    const { protocol, stages } = await evaluateFeatures(run, options);
    assert.deepEqual(protocol.training, [2, 2]);
    assert.equal(stages[0]!.draws.length, 2);
    assert.deepEqual(
      stages[0]!.measures.map(({ name }) => name),
      ['k = 1', 'nearest centroid'],
    );
    await assert.rejects(evaluateFeatures(run, { ...options, k: [3] }), { code: 'gallery-too-small' });
  });

  test('the old fields of evaluation.json are where they were; a part of the stages does not replace it', async () => {
    const whole = readJson(path.join(run, 'evaluation.json')) as Awaited<ReturnType<typeof evaluateRun>>;
    const { classes, videos, excluded, stages, comparisons } = whole;
    assert.deepEqual([classes, videos, excluded, stages.length], [['blue', 'red'], 2, [], 6]);
    const [draw] = stages[0]!.draws;
    assert.deepEqual(Object.keys(draw!).slice(0, 5), ['videos', 'top1', 'top5', 'perClass', 'confusion']);
    assert.deepEqual(
      comparisons.map(({ first, second, mcnemar }) => [first, second, mcnemar.length]),
      stages.slice(0, 5).map(({ stage }) => ['student', stage, 2]),
    );
    const part = await evaluateRun(run, { stages: ['student'], clips: 1, crops: 3, average: 'logits' });
    assert.deepEqual([part.protocol.clips, part.protocol.crops, part.stages.length], [1, 3, 1]);
    assert.deepEqual(readJson(path.join(run, 'evaluation.json')), whole);
  });

  test('embedded features: ids and labels of the rows, the same numbers for a file alone, K times as many slices', async () => {
    const out = path.join(root, 'features.safetensors');
    const read = async (inputs: string[], features: 'pooled' | 'slices') => {
      const written = await embedVideos(run, inputs, { out, stage: 'pretrain-invariant', features });
      const { tensors, metadata } = loadSafetensors(out);
      const rows = scope(() => tensors.get('features')!.toArray() as number[][]);
      for (const tensor of tensors.values()) tensor.dispose();
      return { written, metadata, rows };
    };
    const folder = await read([path.join(data, '_test')], 'pooled');
    const ids = JSON.parse(folder.metadata.ids!) as string[];
    assert.deepEqual(ids, ['blue/t1.mp4', 'red/t0.mp4']);
    assert.deepEqual(JSON.parse(folder.metadata.labels!), ['blue', 'red']);

    const file = path.join(data, '_test/red/t0.mp4');
    const flat = await read([path.join(data, '_test/red')], 'pooled');
    assert.equal(flat.metadata.ids, '["t0.mp4"]');
    const list = path.join(root, 'list.csv');
    writeFileSync(list, 'path,label\nvideos/_test/red/t0.mp4,red\n');
    const listed = await read([list], 'pooled');
    assert.deepEqual([listed.metadata.labels, listed.rows], ['["red"]', flat.rows]);
    const alone = await read([file], 'pooled');
    assert.deepEqual(JSON.parse(alone.metadata.labels!), [null]);
    for (const [k, value] of folder.rows[1]!.entries()) {
      assert.ok(Math.abs(alone.rows[0]![k]! - value) < 1e-5);
    }
    const slices = await read([file], 'slices');
    assert.equal(slices.written.dimensions, 4 * folder.written.dimensions);
    // Four spans of equal length: their mean is the pooled feature.
    for (const [k, value] of alone.rows[0]!.entries()) {
      const spans = slices.rows[0]!.slice(4 * k, 4 * k + 4);
      assert.ok(Math.abs(spans.reduce((sum, span) => sum + span / 4, 0) - value) < 1e-5);
    }
  });

  test('a video whose frames turn out to be damaged is left out and named, by protocols and embeddings', async () => {
    const [id, other] = ['_test/red/t0.mp4', '_test/blue/t1.mp4'];
    const [video, moved] = [path.join(data, id), path.join(root, 'moved.mp4')];
    const store = await FrameStore.open(runFrames(RunFolder.open(run), tinyRecipe()).folder, [{ id, path: video }]);
    const frames = store.get(id)!.file;
    /** Once frames are stored, those of the video are lost, and so is the video that could give them again. */
    const losing = (file: () => string): Progress => ({
      ...silentProgress,
      begin: (title) => ({
        update: () => {},
        end: () => {
          if (title !== 'decoding' || !existsSync(video)) return;
          rmSync(file());
          renameSync(video, moved);
        },
      }),
    });
    const options = { protocol: 'knn', stages: ['student'], progress: losing(() => frames) } as const;
    const { ids, videos, excluded } = await evaluateFeatures(run, options);
    assert.deepEqual([ids, videos, excluded.map((one) => one.id)], [[other], 1, [id]]);
    renameSync(moved, video);

    const before = process.env.TMPDIR;
    process.env.TMPDIR = mkdtempSync(path.join(root, 'temporary-'));
    try {
      const temporary = () => path.join(tmpdir(), readdirSync(tmpdir())[0]!, path.basename(frames));
      const out = path.join(root, 'features.safetensors');
      const inputs = [path.join(data, other), video];
      const embedding = await embedVideos(run, inputs, { out, progress: losing(temporary) });
      assert.deepEqual([embedding.videos, embedding.excluded.map((one) => one.id)], [1, [video]]);
    } finally {
      process.env.TMPDIR = before;
      renameSync(moved, video);
    }
  });

  test('a run of a version that did not list its training videos says what to do', async () => {
    const file = path.join(run, 'data.json');
    const { train: _, labels: __, ...old } = readJson(file) as Record<string, unknown>;
    writeJsonAtomic(file, old);
    await assert.rejects(evaluateFeatures(run, { protocol: 'knn' }), { code: 'training-videos-unknown' });
    assert.equal((await evaluateRun(run, { stages: ['student'] })).videos, 2);
  });
});
