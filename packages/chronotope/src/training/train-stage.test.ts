import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { manualSeed, memory, nn, optim, randn, saveSafetensors, type Tensor } from '@chronotope/torch';
import { silentProgress } from './progress.js';
import { StageFolder } from './stage-folder.js';
import { trainStage } from './train-stage.js';

const STEPS = 25;

/** Batch statistics, momentum, dropout and a schedule: all that a resume could forget. */
class Network extends nn.Module {
  readonly fc1 = new nn.Linear(4, 8);
  readonly bn = new nn.BatchNorm1d(8);
  readonly drop = new nn.Dropout(0.5);
  readonly fc2 = new nn.Linear(8, 1);

  forward(x: Tensor): Tensor {
    return this.fc2.call(this.drop.call(this.bn.call(this.fc1.call(x)).relu()));
  }
}

describe('a stage', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope-stage-'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  /** Trains until it is done, or until the given step is over. */
  async function train(name: string, stopAfter = Number.POSITIVE_INFINITY): Promise<StageFolder> {
    const stage = new StageFolder(path.join(root, name), name);
    manualSeed(3);
    const module = new Network();
    const controller = new AbortController();
    await trainStage(stage, module, () => ({
      title: name,
      progress: silentProgress,
      signal: controller.signal,
      steps: STEPS,
      optimizer: new optim.Adam(module.parameters(), { lr: 0.05 }),
      schedule: (step: number) => 1 / (1 + step),
      batch: (step: number) => randn([6, 4]).add(step / STEPS),
      loss: (x: Tensor, step: number) => {
        if (step + 1 >= stopAfter) controller.abort();
        const loss = module
          .call(x)
          .sub(x.sum(1, { keepdim: true }))
          .square()
          .mean();
        return { loss, metrics: { size: loss.sqrt() }, ids: [] };
      },
    })).finally(() => module.dispose());
    return stage;
  }

  const weights = (stage: StageFolder) => readFileSync(stage.modelFile);
  const metrics = (stage: StageFolder) =>
    readFileSync(path.join(stage.folder, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ step, learningRate, metrics }) => ({ step, learningRate, metrics }));

  test('goes on after an interruption at any step with the same weights and metrics, bit for bit', async () => {
    const whole = await train('whole');
    for (const stopAfter of [1, 9, 10, 11, 24]) {
      const name = `stopped-${stopAfter}`;
      await assert.rejects(train(name, stopAfter), { code: 'interrupted' });
      const resumed = await train(name);
      const header = (bytes: Buffer) => bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
      assert.deepEqual(header(weights(resumed)), header(weights(whole)), name);
      assert.deepEqual(metrics(resumed), metrics(whole), name);
      assert.equal(existsSync(resumed.stateFile), false);
    }
  });

  test('goes on after several interruptions', async () => {
    for (const stopAfter of [4, 12, 13]) await assert.rejects(train('often', stopAfter), { code: 'interrupted' });
    assert.deepEqual(metrics(await train('often')), metrics(await train('whole')));
  });

  test('leaves no tensor behind', async () => {
    await train('first');
    const before = memory().liveTensors;
    await train('second');
    assert.equal(memory().liveTensors, before);
  });

  test('refuses the state of something else, and a damaged one', async () => {
    await assert.rejects(train('other', 5), { code: 'interrupted' });
    const { stateFile } = new StageFolder(path.join(root, 'other'), 'other');
    truncateSync(stateFile, 300);
    await assert.rejects(train('other'), { code: 'io' });
    saveSafetensors(stateFile, { weight: randn([2]) });
    await assert.rejects(train('other'), { code: 'checkpoint-differs', message: /state\.safetensors/ });
  });
});
