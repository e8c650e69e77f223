import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  getNumThreads,
  loadSafetensors,
  manualSeed,
  memory,
  nn,
  optim,
  randn,
  saveSafetensors,
  scope,
  type Tensor,
} from '@chronotope/torch';
import { silentProgress } from './progress.js';
import { PLAIN_TRAINING, type TrainingSettings } from './settings.js';
import { StageFolder } from './stage-folder.js';
import { decodeEvent } from './tensorboard/messages.js';
import { decodeRecords } from './tensorboard/records.js';
import { trainStage } from './train-stage.js';

const STEPS = 25;

/** All that a resume could forget: averages, half precision, several batches in a step, measurements, a plateau. */
const EVERYTHING: TrainingSettings = {
  ...PLAIN_TRAINING,
  amp: 'bfloat16',
  accumulate: 2,
  clipGradients: 0.5,
  schedule: { ...PLAIN_TRAINING.schedule, name: 'plateau', gamma: 0.7, patience: 0 },
  ema: { decay: 0.8, result: 'average' },
  validation: { every: 3, keep: 'best', patience: null },
  checkpoints: { every: 4, keep: 2 },
  tensorboard: true,
};

/** Batch statistics, momentum, dropout and a schedule. */
class Network extends nn.Module {
  readonly fc1 = new nn.Linear(4, 8);
  readonly bn = new nn.BatchNorm1d(8);
  readonly drop = new nn.Dropout(0.5);
  readonly fc2 = new nn.Linear(8, 1);

  forward(x: Tensor): Tensor {
    return this.fc2.call(this.drop.call(this.bn.call(this.fc1.call(x)).relu()));
  }
}

function lossOf(module: Network, x: Tensor): Tensor {
  return module
    .call(x)
    .sub(x.sum(1, { keepdim: true }))
    .square()
    .mean();
}

const batchOf = (index: number): Tensor => randn([6, 4]).add(index / STEPS);
const schedule = (step: number): number => 1 / (1 + step);

describe('a stage', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope-stage-'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  interface Variant {
    settings?: TrainingSettings;
    /** Stops when this step is over. */
    stopAfter?: number;
    onStep?: (module: Network) => void;
  }

  async function train(name: string, variant: Variant = {}): Promise<StageFolder> {
    const stage = new StageFolder(path.join(root, name), name);
    const { settings, stopAfter = Number.POSITIVE_INFINITY, onStep } = variant;
    manualSeed(3);
    const module = new Network();
    const controller = new AbortController();
    await trainStage(stage, module, () => ({
      title: name,
      progress: silentProgress,
      signal: controller.signal,
      settings,
      validation: { measure: () => ({ error: measure(module) }), metric: 'error', better: 'lower' as const },
      steps: STEPS,
      optimizer: new optim.Adam(module.parameters(), { lr: 0.05 }),
      schedule,
      batch: batchOf,
      loss: (x: Tensor, step: number) => {
        if (step + 1 >= stopAfter) controller.abort();
        const loss = lossOf(module, x);
        return { loss, metrics: { size: loss.sqrt() }, ids: [] };
      },
      afterStep: () => onStep?.(module),
      clips: (x: Tensor) => ({ samples: x.sigmoid().reshape([1, 6, 1, 1, 2, 2]).expand([1, 6, 3, 1, 2, 2]) }),
      hparams: { rate: 0.05, of: { samples: 6 } },
    })).finally(() => module.dispose());
    return stage;
  }

  /** On samples that are drawn anew, which must not disturb what training draws. */
  const measure = (module: Network): number =>
    scope(() => {
      assert.equal(module.training, false);
      return lossOf(module, randn([64, 4])).item();
    });

  /** The weights of every file of a stage, without what its header says of the stage's name. */
  const weights = (stage: StageFolder): Record<string, Buffer> => {
    const files = readdirSync(stage.folder).filter((file) => file.endsWith('.safetensors'));
    const contents = files.map((file) => readFileSync(path.join(stage.folder, file)));
    const tensors = contents.map((bytes) => bytes.subarray(8 + Number(bytes.readBigUInt64LE())));
    return Object.fromEntries(files.map((file, index) => [file, tensors[index]!]));
  };
  const metrics = (stage: StageFolder) =>
    stage.metrics().map(({ step, learningRate, metrics, validation }) => ({ step, learningRate, metrics, validation }));

  /** What TensorBoard would show, of times and speeds only the names. */
  const events = (stage: StageFolder) => {
    const file = path.join(stage.folder, 'events.out.tfevents.chronotope');
    if (!existsSync(file)) return [];
    return [...decodeRecords(readFileSync(file))].flatMap(({ data }) => {
      const { step, summary } = decodeEvent(data);
      return (summary?.value ?? []).map((value) => {
        const isRepeatable = /^(train|validation|weights|batch|clips|final)/.test(value.tag);
        return { step, value: isRepeatable ? value : { tag: value.tag } };
      });
    });
  };

  for (const [what, settings] of Object.entries({ plain: PLAIN_TRAINING, everything: EVERYTHING })) {
    test(`${what}: goes on after an interruption at any step with the same weights and metrics, bit for bit`, async () => {
      const whole = await train(`${what}-whole`, { settings });
      for (const stopAfter of [1, 9, 10, 11, 24]) {
        const name = `${what}-stopped-${stopAfter}`;
        await assert.rejects(train(name, { settings, stopAfter }), { code: 'interrupted' });
        const resumed = await train(name, { settings });
        assert.deepEqual(weights(resumed), weights(whole), name);
        assert.deepEqual(metrics(resumed), metrics(whole), name);
        assert.deepEqual(events(resumed), events(whole), name);
        assert.equal(events(whole).length > 0, settings.tensorboard);
        assert.equal(existsSync(resumed.stateFile), false);
      }
    });

    test(`${what}: goes on after several interruptions`, async () => {
      for (const stopAfter of [4, 12, 13]) {
        await assert.rejects(train(`${what}-often`, { settings, stopAfter }), { code: 'interrupted' });
      }
      assert.deepEqual(weights(await train(`${what}-often`, { settings })), weights(await train(`${what}-whole`)));
    });

    test(`${what}: leaves no tensor behind`, async () => {
      await train(`${what}-first`, { settings });
      const before = memory().liveTensors;
      await train(`${what}-second`, { settings });
      assert.equal(memory().liveTensors, before);
    });
  }

  test('with everything off it is the plain loop, bit for bit', async () => {
    const stage = await train('off');
    manualSeed(3);
    const module = new Network();
    const optimizer = new optim.Adam(module.parameters(), { lr: 0.05 });
    for (let step = 0; step < STEPS; step++) {
      scope(() => {
        for (const group of optimizer.paramGroups) group.lr = 0.05 * schedule(step);
        const x = batchOf(step);
        optimizer.zeroGrad();
        lossOf(module, x).backward();
        optimizer.step();
      });
    }
    const { tensors } = loadSafetensors(stage.modelFile);
    for (const [key, value] of module.stateDict()) assert.deepEqual(tensors.get(key)!.data(), value.data(), key);
  });

  test('measuring leaves no trace in the weights', async () => {
    const validation = { every: 2, keep: 'last', patience: null } as const;
    const measured = await train('measured', { settings: { ...PLAIN_TRAINING, validation } });
    const { 'model.safetensors': model, 'best.safetensors': best, ...others } = weights(measured);
    assert.deepEqual(model, weights(await train('plain-whole'))['model.safetensors']);
    assert.ok(best && Object.keys(others).length === 0, 'the best weights are kept beside the last ones');
  });

  test('the result is the weights that measured best; the last ones stay beside it', async () => {
    const byStep = new Map<number, Float32Array>();
    const settings = { ...PLAIN_TRAINING, validation: { every: 1, keep: 'best', patience: null } } as const;
    const onStep = (module: Network) => void byStep.set(byStep.size + 1, module.fc2.weight.data() as Float32Array);
    const stage = await train('best', { settings, onStep });
    const errors = stage.metrics().map(({ validation }) => validation!.error!);
    const best = errors.indexOf(Math.min(...errors)) + 1;
    assert.deepEqual(stage.result().best, { step: best, error: errors[best - 1] });
    assert.ok(best < STEPS, 'this test needs a best step that is not the last');
    const weightIn = (file: string) =>
      loadSafetensors(path.join(stage.folder, file)).tensors.get('fc2.weight')!.data() as Float32Array;
    assert.deepEqual(weightIn('model.safetensors'), byStep.get(best));
    assert.deepEqual(weightIn('last.safetensors'), byStep.get(STEPS));
    assert.deepEqual(Object.keys(weights(stage)), ['last.safetensors', 'model.safetensors']);
  });

  test('the average remembers few steps at first, then as many as its decay says', async () => {
    let expected: number[] | undefined;
    let step = 0;
    const onStep = (module: Network) => {
      const now = [...(module.fc2.weight.data() as Float32Array)];
      const decay = Math.min(0.8, (1 + step) / (10 + step));
      expected ??= start;
      expected = now.map((value, index) => decay * expected![index]! + (1 - decay) * value);
      step++;
    };
    manualSeed(3);
    const start = [...(new Network().fc2.weight.data() as Float32Array)];
    const settings = { ...PLAIN_TRAINING, ema: { decay: 0.8, result: 'average' } } as const;
    const stage = await train('average', { settings, onStep });
    const averaged = loadSafetensors(stage.modelFile).tensors.get('fc2.weight')!.data() as Float32Array;
    for (const [index, value] of expected!.entries()) assert.ok(Math.abs(value - averaged[index]!) < 1e-6);
    const { 'model.safetensors': plain } = weights(await train('plain-whole'));
    assert.deepEqual(weights(stage)['weights.safetensors'], plain);

    const other = { ...PLAIN_TRAINING, ema: { decay: 0.8, result: 'weights' } } as const;
    const swapped = weights(await train('not-averaged', { settings: other }));
    assert.deepEqual(swapped['model.safetensors'], plain);
    assert.deepEqual(swapped['average.safetensors'], weights(stage)['model.safetensors']);
  });

  test('a stage takes as many cores as the settings say, and gives them back', async () => {
    const before = getNumThreads();
    const wanted = before + 1;
    const seen = new Set<number>();
    await train('threads', {
      settings: { ...PLAIN_TRAINING, threads: wanted },
      onStep: () => seen.add(getNumThreads()),
    });
    assert.deepEqual([[...seen], getNumThreads()], [[wanted], before]);
  });

  test('checkpoints are written every few steps, and the latest stay', async () => {
    const settings = { ...PLAIN_TRAINING, checkpoints: { every: 5, keep: 2 } };
    const stage = await train('checkpoints', { settings });
    const { 'model.safetensors': model, ...others } = weights(stage);
    assert.deepEqual(Object.keys(others), ['step-20.safetensors', 'step-25.safetensors']);
    assert.deepEqual(others['step-25.safetensors'], model);
    assert.notDeepEqual(others['step-20.safetensors'], model);
  });

  test('a loss that is not a number leaves a file that names the samples', async () => {
    const stage = new StageFolder(path.join(root, 'nan'), 'nan');
    const module = new nn.Linear(1, 1);
    const options = {
      title: 'nan',
      progress: silentProgress,
      steps: 5,
      optimizer: new optim.SGD(module.parameters(), { lr: 1 }),
      schedule,
      batch: () => randn([1, 1]),
      loss: (x: Tensor, step: number) => {
        const loss = module.call(x).sum();
        return { loss: loss.div(step === 2 ? loss.mul(0) : 1), metrics: { size: loss.mul(0) }, ids: [`video ${step}`] };
      },
    };
    const file = path.join(stage.folder, 'failed-step.json');
    await assert.rejects(
      trainStage(stage, module, () => options),
      (error: { code?: string; hint?: string }) => error.code === 'loss-not-finite' && error.hint!.includes(file),
    );
    const content = JSON.parse(readFileSync(file, 'utf8'));
    assert.deepEqual([content.step, content.ids, content.metrics], [3, ['video 2'], { size: '0' }]);
    assert.match(content.problem, /the loss became (-?Infinity|NaN) at step 3/);
  });

  test('refuses the state of something else, and a damaged one', async () => {
    await assert.rejects(train('other', { stopAfter: 5 }), { code: 'interrupted' });
    const { stateFile } = new StageFolder(path.join(root, 'other'), 'other');
    truncateSync(stateFile, 300);
    await assert.rejects(train('other'), { code: 'io' });
    saveSafetensors(stateFile, { weight: randn([2]) });
    await assert.rejects(train('other'), { code: 'checkpoint-differs', message: /state\.safetensors/ });
  });
});
