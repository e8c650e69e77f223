import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { distributed, loadSafetensors, manualSeed, nn, optim, randn, scope, type Tensor } from '@chronotope/torch';
import type { Best } from './best.js';
import { shard, withProcesses } from './processes.js';
import { silentProgress } from './progress.js';
import { PLAIN_TRAINING, type TrainingSettings } from './settings.js';
import { StageFolder } from './stage-folder.js';
import { trainStage } from './train-stage.js';

const STEPS = 12;
const BATCH = 8;

interface Work {
  folder: string;
  norm: boolean;
  dropout: number;
  settings: TrainingSettings;
  /** One process, the last, is told to stop when this step is over. */
  stopAfter?: number;
}

class Network extends nn.Module {
  readonly fc1: nn.Linear;
  readonly norm: nn.Module;
  readonly drop: nn.Dropout;
  readonly fc2 = new nn.Linear(8, 1);

  constructor({ norm, dropout }: Work) {
    super();
    this.fc1 = new nn.Linear(4, 8, { bias: !norm });
    this.norm = norm ? new nn.BatchNorm1d(8) : new nn.Identity();
    this.drop = new nn.Dropout(dropout);
  }

  forward(x: Tensor): Tensor {
    const features = (this.norm as nn.BatchNorm1d).call(this.fc1.call(x));
    return this.fc2.call(this.drop.call(features.relu()));
  }
}

/** What a process does: a stage on its share of every batch. The network is called twice in a step. */
async function work(given: Work): Promise<void> {
  manualSeed(3);
  const module = new Network(given);
  const samples = randn([2 * STEPS * BATCH, 4]);
  const { rank, worldSize } = shard();
  const share = BATCH / worldSize;
  const controller = new AbortController();
  const errorOf = (x: Tensor) =>
    module
      .call(x)
      .sub(x.sum(1, { keepdim: true }))
      .square();
  await trainStage(new StageFolder(given.folder, 'stage'), module, () => ({
    title: 'stage',
    progress: silentProgress,
    signal: controller.signal,
    settings: given.settings,
    validation: {
      measure: () => ({ error: errorOf(samples).mean().item() }),
      metric: 'error',
      better: 'lower' as const,
    },
    steps: STEPS,
    optimizer: new optim.Adam(module.parameters(), { lr: 0.05 }),
    schedule: () => 1,
    batch: (index: number) => samples.narrow(0, index * BATCH + rank * share, share).mul(1),
    loss: (x: Tensor, step: number) => {
      if (step + 1 === given.stopAfter && rank === worldSize - 1) controller.abort();
      const loss = errorOf(x).mean().mul(0.75).add(errorOf(x).mean().mul(0.25));
      return { loss, metrics: {}, ids: Array.from({ length: share }, (_, k) => `${k}`) };
    },
  }));
}

if (process.env.RANK !== undefined) {
  await withProcesses(() => work(JSON.parse(process.env.WORK!))).catch((error: { code?: string }) => {
    process.exitCode = error.code === 'interrupted' ? 130 : 1;
    if (process.exitCode === 1) console.error(error);
  });
} else {
  defineTests();
}

function defineTests(): void {
  const root = mkdtempSync(path.join(tmpdir(), 'chronotope-parallel-'));
  after(() => rmSync(root, { recursive: true }));
  const skip = distributed.availableBackends().includes('gloo') ? false : 'this libtorch has no gloo';

  const complete = (name: string, given: Partial<Work>): Work => {
    return { folder: path.join(root, name), norm: false, dropout: 0, settings: PLAIN_TRAINING, ...given };
  };

  async function trainAlone(name: string, given: Partial<Work>): Promise<StageFolder> {
    await work(complete(name, given));
    return new StageFolder(path.join(root, name), 'stage');
  }

  /** Does the work in two processes; their exit code. */
  async function trainTogether(name: string, given: Partial<Work> = {}): Promise<[StageFolder, number]> {
    const launcher = fileURLToPath(new URL('../../../torch/bin/chronotope-run.js', import.meta.url));
    const child = spawn(process.execPath, [launcher, '--nproc', '2', fileURLToPath(import.meta.url)], {
      env: { ...process.env, WORK: JSON.stringify(complete(name, given)), OMP_NUM_THREADS: '1' },
      stdio: ['ignore', 'ignore', given.stopAfter === undefined ? 'inherit' : 'ignore'],
    });
    const [code] = (await once(child, 'close')) as [number];
    return [new StageFolder(path.join(root, name), 'stage'), code];
  }

  const weights = (stage: StageFolder) =>
    scope(() =>
      [...loadSafetensors(stage.modelFile).tensors].map(([key, x]) => [key, [...x.data()].map(Number)] as const),
    );

  function assertClose(a: StageFolder, b: StageFolder): void {
    for (const [index, [key, values]] of weights(a).entries()) {
      for (const [at, value] of weights(b)[index]![1].entries()) {
        assert.ok(Math.abs(value - values[at]!) < 1e-4, `${key}[${at}]: ${value} and ${values[at]}`);
      }
    }
  }

  const lossesOf = (stage: StageFolder) => stage.metrics().map(({ metrics }) => metrics.loss!);

  describe('two processes with half of every batch', { skip }, () => {
    const everything: TrainingSettings = {
      ...PLAIN_TRAINING,
      accumulate: 2,
      clipGradients: 1,
      schedule: { ...PLAIN_TRAINING.schedule, name: 'plateau', patience: 0 },
      ema: { decay: 0.9, result: 'average' },
      validation: { every: 2, keep: 'best', patience: null },
    };
    const cases: Record<string, Partial<Work>> = {
      'all that a stage can do': { settings: everything },
      'shared batch statistics': { norm: true, settings: { ...PLAIN_TRAINING, syncBatchNorm: true } },
    };
    for (const [name, given] of Object.entries(cases)) {
      test(`${name}: the weights and losses of one process with whole batches`, async () => {
        const alone = await trainAlone(`${name}-1`, given);
        const [together, code] = await trainTogether(`${name}-2`, given);
        assert.equal(code, 0);
        assertClose(alone, together);
        for (const [line, loss] of lossesOf(together).entries()) {
          assert.ok(Math.abs(loss - lossesOf(alone)[line]!) < 1e-4);
        }
        assert.equal((together.result().best as Best)?.step, (alone.result().best as Best)?.step);
      });
    }

    test('one that is told to stop stops all, and they go on together bit for bit, each with its own dropout', async () => {
      const given = { norm: true, dropout: 0.5 };
      const [whole] = await trainTogether('whole', given);
      const [, code] = await trainTogether('stopped', { ...given, stopAfter: 5 });
      assert.equal(code, 130);
      await assert.rejects(trainAlone('stopped', given), { code: 'processes-differ', hint: /Go on with 2/ });
      const [resumed] = await trainTogether('stopped', given);
      assert.deepEqual(readFileSync(resumed.modelFile), readFileSync(whole.modelFile));
      assert.deepEqual(lossesOf(resumed), lossesOf(whole));
    });
  });
}
