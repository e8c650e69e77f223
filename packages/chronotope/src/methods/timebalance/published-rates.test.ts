import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nn, optim, zeros } from '@chronotope/torch';
import { loadRecipeOf } from '../../recipes/load.js';
import { readGolden } from '../../testing/golden.js';
import { silentProgress } from '../../training/progress.js';
import { type PublishedRates, publishedRate } from './published-rates.js';
import { inRun, type TimeBalanceRun } from './run.js';

interface Case {
  stage: 'pretraining' | 'tclr_pretraining' | 'semisup' | 'finetune';
  config: { learning_rate: number };
  mean_train_loss_reported_by_epoch: number[];
  lr_used_in_epoch: number[];
}

const STEPS = 3;

test('the rates of every epoch are those of the official training loops, also through a saved state', () => {
  const { cases } = readGolden<{ cases: Case[] }>('timebalance/lr_schedule.json');
  assert.equal(cases.length, 5);
  for (const { stage, config, mean_train_loss_reported_by_epoch: losses, lr_used_in_epoch: rates } of cases) {
    const name: PublishedRates = stage === 'tclr_pretraining' ? 'official-tclr' : 'official-timebalance';
    const learnsFrom = stage.endsWith('pretraining') ? 'videos' : 'labels';
    const make = (state?: unknown) => publishedRate(name, { learnsFrom, stepsPerEpoch: STEPS }, state as undefined);
    let rate = make();
    for (const [epoch, loss] of losses.entries()) {
      for (let step = 0; step < STEPS; step++) {
        const used = config.learning_rate * rate.factor;
        assert.ok(Math.abs(used / rates[epoch]! - 1) < 1e-12, `${stage}, epoch ${epoch}: ${used}, not ${rates[epoch]}`);
        // The losses of the steps differ, and their mean is that of the epoch.
        rate.takeLoss(epoch * STEPS + step + 1, loss + (step - 1) / 8);
        rate = make(JSON.parse(JSON.stringify(rate.state)));
      }
    }
  }
});

test('a recipe can name them; the warm-up of the recipe is then left out', () => {
  const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
  const optionsWith = (name: string, learnsFrom: 'videos' | 'labels') => {
    const recipe = loadRecipeOf('timebalance', 'timebalance-demo', [`training.schedule.name=${name}`]);
    const run = { recipe, progress: silentProgress } as TimeBalanceRun;
    const training = { steps: 100, warmupSteps: 10, stepsPerEpoch: 5, learnsFrom, loaders: [], optimizer };
    return inRun(run, 'a stage', {
      ...training,
      batch: () => [],
      loss: () => ({ loss: zeros([]), metrics: {}, ids: [] }),
    });
  };
  const official = optionsWith('official-timebalance', 'labels');
  assert.deepEqual([0, 5, 99].map(official.schedule), [1, 1, 1]);
  const rate = official.adaptiveRate!();
  assert.ok(Math.abs(rate.factor - 0.01) < 1e-6);
  for (let step = 1; step <= 5; step++) rate.takeLoss(step, 1);
  assert.ok(Math.abs(rate.factor - 0.12) < 1e-6, 'the second epoch of the warm-up');

  const plain = optionsWith('linear', 'labels');
  assert.equal(plain.adaptiveRate, undefined);
  assert.equal(plain.schedule(0), 0.1);
});
