import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadSafetensors, scope } from '@chronotope/torch';
import { loadRecipeOf } from '../recipes/load.js';
import { tinyLss } from '../testing/tiny-lss.js';
import { tinyRecipe, writeTinyVideos } from '../testing/tiny-videos.js';
import type { Progress } from '../training/progress.js';
import { type EvaluateFineTuneOptions, evaluateFineTuned } from './evaluate-fine-tune.js';
import { trainCcl } from './train-ccl.js';
import { trainLss } from './train-lss.js';
import { trainTimeBalance } from './train-timebalance.js';

describe('fine-tuning as an evaluation', () => {
  let root = '';
  const at = (...parts: string[]) => path.join(root, ...parts);
  const shared = (out: string) => ({ data: at('videos'), out: at(out), frames: at('frames', out), workers: 0 });
  const fineTune = (run: string, options: EvaluateFineTuneOptions = {}) =>
    evaluateFineTuned(at(run), { workers: 0, ...options });
  /** The weights of everything that was fine-tuned in a run, by folder. */
  const weights = (run: string, folder = '') =>
    readdirSync(at(run, 'fine-tuned', folder))
      .filter((name) => existsSync(at(run, 'fine-tuned', folder, name, 'model.safetensors')))
      .map((name) => [name, readFileSync(at(run, 'fine-tuned', folder, name, 'model.safetensors'))] as const);

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope fine-tune '));
    await writeTinyVideos(at('videos'));
    await trainLss({ ...shared('lss'), recipe: tinyLss(['augment.preset=none']) });
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('networks of LSS learn the colours of the labelled videos, each from its own weights', async () => {
    const settings = { length: { steps: 40 }, learningRate: 0.01, backboneFactor: 0.5 } as const;
    const { stages, protocol, videos, ids } = await fineTune('lss', { settings });
    assert.deepEqual(
      stages.map(({ stage, draws }) => [stage, draws.length, draws[0]!.steps]),
      [
        ['start', 1, 40],
        ['student', 1, 40],
        ['teacher', 1, 40],
      ],
    );
    assert.deepEqual([videos, protocol.training, protocol.settings.batch], [2, [4], 4]);
    for (const { top1, draws } of stages) {
      assert.deepEqual([top1.value, draws[0]!.trainingAccuracy], [1, 1]);
      assert.ok(top1.low < 0.2, 'two videos prove little');
      assert.equal(draws[0]!.predicted.length, ids.length);
    }
    assert.ok(existsSync(at('lss', 'evaluation-fine-tune.json')));
    const [first, second] = weights('lss').map(([, content]) => content);
    assert.notDeepEqual(first, second);
  });

  test('interrupted after every step and asked for again, it ends with the same weights bit for bit', async () => {
    const options = { stages: ['teacher'], settings: { length: { steps: 3 } } };
    const evaluation = await fineTune('lss', options);
    const [name, whole] = newest('lss');
    rmSync(at('lss', 'fine-tuned', name), { recursive: true });
    let stops = 0;
    for (let isDone = false; !isDone; ) {
      const stop = new AbortController();
      await fineTune('lss', { ...options, signal: stop.signal, progress: stoppingAtOnce(stop) }).then(
        (again) => {
          isDone = true;
          assert.deepEqual(again, evaluation);
        },
        (error: { code?: string }) => {
          assert.equal(error.code, 'interrupted');
          stops++;
        },
      );
    }
    assert.equal(stops, 2, 'of 3 steps');
    assert.deepEqual(new Map(weights('lss')).get(name), whole);
  });

  test('what was fine-tuned with the same settings and labels is not trained again', async () => {
    const options = { stages: ['teacher'], settings: { length: { steps: 3 } } };
    const count = weights('lss').length;
    const titles: string[] = [];
    const { stages } = await fineTune('lss', { ...options, crops: 3, progress: listening(titles) });
    assert.equal(stages[0]!.draws[0]!.steps, 3);
    assert.ok(!titles.some((title) => title.startsWith('fine-tuning')), titles.join());
    await fineTune('lss', { ...options, settings: { ...options.settings, learningRate: 0.5 } });
    assert.equal(weights('lss').length, count + 1);
  });

  test('a run of CCL: the whole network learns, the backbone at its own rate', async () => {
    const recipe = loadRecipeOf('ccl', 'ccl-small', [
      ...['model.width=2', 'model.embedding=8', 'pretrain.epochs=1', 'pretrain.batch=2', 'queue.intra=4'],
      'evaluation.clips=2',
    ]);
    await trainCcl({ ...shared('ccl'), recipe });
    const settings = { length: { epochs: 2, leastSteps: 1 }, batch: 2 } as const;
    const { stages } = await fineTune('ccl', { settings });
    assert.equal(stages[0]!.draws[0]!.steps, 4, 'two passes over four videos');
    const [name] = weights('ccl')[0]!;
    await fineTune('ccl', { settings: { ...settings, backboneFactor: 1e-30 } });
    const [still] = weights('ccl').find(([other]) => other !== name)!;
    const learnt = (folder: string, key: string) => valuesOf(at('ccl', folder, 'model.safetensors'), key);
    const own = 'backbone.layer4.0.conv1.weight';
    const before = learnt('stages/pretrain', `query.${own}`);
    assert.notDeepEqual(learnt(`fine-tuned/${name}`, own), before);
    assert.deepEqual(learnt(`fine-tuned/${still}`, own), before);
    assert.notDeepEqual(learnt(`fine-tuned/${name}`, 'fc.weight'), learnt(`fine-tuned/${still}`, 'fc.weight'));
  });

  test('a run of TimeBalance: known labels are those of each draw; the teachers’ settings are the default', async () => {
    const recipe = { ...tinyRecipe(), baselines: [] };
    await trainTimeBalance({ ...shared('timebalance'), recipe, labelsPerClass: 1, labelDraws: 2 });
    const { stages, protocol } = await fineTune('timebalance', { labels: 'known' });
    assert.deepEqual(
      stages.map(({ stage, draws }) => [stage, draws.length]),
      ['pretrain-invariant', 'pretrain-distinctive', 'pretrain-student'].map((stage) => [stage, 2]),
    );
    assert.deepEqual([protocol.training, protocol.settings.length], [[2, 2], { steps: recipe.teacher.steps }]);
    const { stages: again } = await fineTune('timebalance', { stages: ['student'] });
    assert.deepEqual([again.length, again[0]!.draws.length], [1, 2], 'a classifier of each draw');
    assert.equal(weights('timebalance', 'draw-2').length, 1);
  });

  test('a stage that is not there, and a batch without equal parts, are refused by name', async () => {
    await assert.rejects(fineTune('lss', { stages: ['techer'] }), { code: 'stage-unknown', hint: /teacher/ });
    await trainLss({ ...shared('parts'), recipe: tinyLss(['training.accumulate=2', 'train.epochs=1']) });
    const odd = fineTune('parts', { stages: ['teacher'], settings: { batch: 3 } });
    await assert.rejects(odd, { code: 'batch-not-divisible' });
  });

  const newest = (run: string) => weights(run).toSorted(([a], [b]) => timeOf(run, b) - timeOf(run, a))[0]!;
  const timeOf = (run: string, name: string) =>
    Date.parse(JSON.parse(readFileSync(at(run, 'fine-tuned', name, 'stage.json'), 'utf8')).finishedAt);
});

const valuesOf = (file: string, key: string) => scope(() => loadSafetensors(file).tensors.get(key)!.data());

/** Writes down what is begun. */
const listening = (titles: string[]): Progress => ({
  begin: (title) => {
    titles.push(title);
    return { update: () => {}, end: () => {} };
  },
  note: () => {},
});

/** Stops a fine-tuning after the first step that it makes. */
const stoppingAtOnce = (stop: AbortController): Progress => ({
  begin: (title) => {
    if (title.startsWith('fine-tuning')) stop.abort();
    return { update: () => {}, end: () => {} };
  },
  note: () => {},
});
