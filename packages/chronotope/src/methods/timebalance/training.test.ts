import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { manualSeed, optim, rand, scope, type Tensor, tensor } from '@chronotope/torch';
import { ClipReader } from '../../data/clip-reader.js';
import type { ClipLoader } from '../../data/loader.js';
import { loadRecipeOf } from '../../recipes/load.js';
import { storedClips } from '../../testing/stored-clips.js';
import { silentProgress } from '../../training/progress.js';
import { isOfPretraining, pretrainedFeatures, teacherFeatures } from './inference.js';
import { newClassifier, newPretextModel } from './networks.js';
import { labelledLoader, type TimeBalanceRun } from './run.js';
import { MeanTeacher, meanTeacherTraining } from './semi-supervised.js';
import { labelledTraining, pretextTraining } from './training.js';

const load = (...overrides: string[]) => loadRecipeOf('timebalance', 'timebalance-demo', overrides);
const recipe = load();
const ADAM = recipe.training.optimizer;

/** A loader whose only batch is ready. */
function loaderOf(views: ReturnType<ClipLoader['stepBatch']>['views'], ids: string[]): ClipLoader {
  const labels = tensor(BigInt64Array.from(ids, (_, index) => BigInt(index % 2)));
  return { videos: ids.length, stepBatch: () => ({ views, ids, labels }) } as unknown as ClipLoader;
}

const clips = () => rand([4, 3, 8, 24, 24]);
const IDS = ['a', 'b', 'c', 'd'];

describe('pre-training', () => {
  test('computes and logs only the terms that have a weight, and learns from these alone', () =>
    scope(() => {
      const views = { globals: rand([2, 4, 3, 8, 24, 24]), locals: rand([2, 4, 4, 3, 8, 24, 24]) };
      const step = (...overrides: string[]) => {
        manualSeed(3);
        const { pretrain, ...rest } = load(...overrides);
        const model = newPretextModel({ pretrain, ...rest }, 'joint');
        const training = pretextTraining(model, loaderOf(views, IDS), pretrain.distinctive, ADAM);
        const { loss, metrics } = training.loss(training.batch(0), 0);
        training.optimizer.dispose();
        return { loss: loss.item(), metrics };
      };
      const both = step();
      assert.deepEqual(Object.keys(both.metrics), ['localLocal', 'globalLocal']);
      const only = step('pretrain.distinctive.weights.localLocal=0', 'pretrain.distinctive.weights.globalLocal=0.5');
      assert.deepEqual(Object.keys(only.metrics), ['globalLocal']);
      assert.equal(only.metrics.globalLocal!.item(), both.metrics.globalLocal!.item());
      assert.equal(only.loss, 0.5 * both.metrics.globalLocal!.item());
    }));
});

describe('the optimiser', () => {
  test('is the one that the recipe names, for every group of weights', () =>
    scope(() => {
      const model = newClassifier(recipe, 2, { dropout: 0 });
      const made = (name: 'adam' | 'adamw' | 'sgd') =>
        labelledTraining(model, loaderOf({ clip: clips() }, IDS), recipe.teacher, { name, momentum: 0.8 }).optimizer;
      const [adam, adamw, sgd] = [made('adam'), made('adamw'), made('sgd')];
      assert.ok(adam instanceof optim.Adam && adamw instanceof optim.AdamW && sgd instanceof optim.SGD);
      assert.deepEqual(
        sgd.paramGroups.map(({ momentum }) => momentum),
        [0.8, 0.8],
      );
      for (const optimizer of [adam, adamw, sgd]) optimizer.dispose();
    }));
});

describe('a backbone with a factor of 0', () => {
  const settings = { ...recipe.teacher, backboneFactor: 0 };

  test('keeps its weights and its batch statistics while the classifier layer learns', () =>
    scope(() => {
      manualSeed(4);
      const model = newClassifier(recipe, 2, { dropout: 0 }).train();
      const state = () => [...model.stateDict()].map(([key, value]) => [key, JSON.stringify(value.toArray())] as const);
      const before = new Map(state());
      const training = labelledTraining(model, loaderOf({ clip: clips() }, IDS), settings, ADAM);
      training.loss(training.batch(0), 0).loss.backward();
      training.optimizer.step();
      const changed = state().filter(([key, value]) => before.get(key) !== value);
      assert.deepEqual(
        changed.map(([key]) => key),
        ['fc.weight', 'fc.bias'],
      );
      assert.ok(!model.backbone.training && model.fc.training);
      model.eval().train();
      assert.ok(!model.backbone.training && model.training, 'also after it was measured');
      training.optimizer.dispose();
    }));

  test('stays as it is in the average of a mean teacher, too', () =>
    scope(() => {
      const pair = new MeanTeacher(newClassifier(recipe, 2, { dropout: 0 }), newClassifier(recipe, 2, { dropout: 0 }));
      const own = { ...recipe, student: { ...recipe.student, backboneFactor: 0 } };
      const loader = loaderOf({ weak: clips(), strong: clips() }, IDS);
      const training = meanTeacherTraining(pair, { labelled: loader, unlabelled: null }, own);
      const means = [...pair.average.backbone.stateDict()].filter(([key]) => key.endsWith('running_mean'));
      const values = () => means.map(([, mean]) => mean.toArray());
      const before = values();
      assert.ok(before.length > 0);
      training.loss(training.batch(0), 0);
      assert.deepEqual(values(), before);
      training.optimizer.dispose();
    }));
});

describe('balanced labelled batches', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'chronotope-balanced-'));
  after(() => rmSync(folder, { recursive: true }));

  test('have as many videos of a rare class as of a frequent one', () => {
    const { store, entries: stored } = storedClips(folder, 8, () => ({ frames: 16, height: 8, width: 8 }));
    for (const number of stored.keys())
      writeFileSync(path.join(folder, `${number}.rgb`), new Uint8Array(16 * 8 * 8 * 3));
    const entries = stored.map((entry, number) => ({ ...entry, label: number === 0 ? 'even' : 'odd' }));
    const reader = new ClipReader(store);
    try {
      const stage = () => assert.fail('no stage is needed');
      const run: TimeBalanceRun = {
        ...{ recipe, classes: ['even', 'odd'], reader, workers: null, device: 'cpu', draws: [entries] },
        ...{ stage, progress: silentProgress },
      };
      const rare = (balanced: boolean) =>
        scope(() => {
          const loader = labelledLoader(run, entries, { ...recipe.teacher, batch: 8, balanced });
          return loader.stepBatch(0).ids.filter((id) => id === 'video 0').length;
        });
      assert.deepEqual([rare(false), rare(true)], [1, 4]);
    } finally {
      reader.dispose();
    }
  });
});

describe('what similarity compares', () => {
  test('is pooled features, what the head of pre-training makes of them, or logits, all as in tests', () =>
    scope(() => {
      const pretext = newPretextModel(recipe, 'joint').train();
      const teacher = newClassifier(recipe, 2, { dropout: 0.9 }).train();
      const input = clips();
      const shape = (compared: (clips: Tensor) => Tensor) => [...compared(input).shape];
      const { features } = pretext.backbone;
      assert.deepEqual(shape(pretrainedFeatures(pretext, 'pretrained')), [4, features]);
      const projected = pretrainedFeatures(pretext, 'projection')(input);
      assert.deepEqual([...projected.shape], [4, recipe.model.embedding]);
      for (const norm of projected.square().sum([1]).data() as Float32Array) assert.ok(Math.abs(norm - 1) < 1e-5);
      assert.deepEqual(shape(teacherFeatures(teacher, 'fine-tuned')), [4, features]);
      assert.deepEqual(shape(teacherFeatures(teacher, 'logits')), [4, 2]);
      assert.ok(!pretext.training && !teacher.training);
      const sources = ['pretrained', 'projection', 'fine-tuned', 'logits'] as const;
      assert.deepEqual(sources.map(isOfPretraining), [true, true, false, false]);
    }));
});
