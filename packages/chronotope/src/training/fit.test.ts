import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keep, manualSeed, memory, nn, optim, randn, type Tensor, zeros } from '@chronotope/torch';
import { fit, type MetricsLine } from './fit.js';
import { Plateau } from './schedule.js';

/** Learns y = 3 x from noiseless samples that depend on the step alone. */
function regression(overrides: { target?: (x: Tensor) => Tensor } = {}) {
  const { target = (x) => x.mul(3) } = overrides;
  manualSeed(0);
  const model = new nn.Linear(1, 1);
  return {
    model,
    options: {
      optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
      schedule: () => 1,
      batch: (step: number) => {
        manualSeed(step);
        return randn([8, 1]);
      },
      loss: (x: Tensor) => {
        const error = model.call(x).sub(target(x));
        return { loss: error.square().mean(), metrics: { bias: error.mean() }, ids: ['a', 'b'] };
      },
    },
  };
}

describe('fit', () => {
  test('minimises the loss and reports every window and the last step', async () => {
    const { model, options } = regression();
    const lines: MetricsLine[] = [];
    await fit({ ...options, steps: 105, logEvery: 20, onMetrics: (line) => lines.push(line) });
    assert.deepEqual(
      lines.map(({ step }) => step),
      [20, 40, 60, 80, 100, 105],
    );
    assert.ok(Math.abs(model.weight.item() - 3) < 1e-3);
    for (const { dataShare, forwardShare, backwardShare, optimizerShare } of lines) {
      const shares = [dataShare, forwardShare, backwardShare, optimizerShare];
      assert.ok(shares.every((share) => share > 0));
      assert.ok(shares.reduce((sum, share) => sum + share) <= 1);
    }
  });

  test('keeps no tensor of a step', async () => {
    const { options } = regression();
    await fit({ ...options, steps: 2 });
    const before = memory().liveTensors;
    await fit({ ...options, steps: 200 });
    // Fewer when the garbage collector has found some of earlier tests.
    assert.ok(memory().liveTensors <= before);
  });

  test('a loss that is not a number stops with the samples of the batch', async () => {
    const { options } = regression({ target: (x) => zeros(x.shape).div(0) });
    await assert.rejects(fit({ ...options, steps: 5 }), (error: Error & { code?: string; details?: unknown }) => {
      assert.equal(error.code, 'loss-not-finite');
      assert.deepEqual(error.details, { step: 1, ids: ['a', 'b'], metrics: { bias: 'NaN' } });
      return true;
    });
  });

  test('the learning rate is the base rate times the schedule', async () => {
    const { options } = regression();
    const rates: number[] = [];
    const schedule = (step: number) => (step + 1) / 4;
    const onMetrics = (line: MetricsLine) => void rates.push(line.learningRate);
    await fit({ ...options, schedule, steps: 4, logEvery: 1, onMetrics });
    assert.deepEqual(
      rates.map((rate) => Math.round(1000 * rate)),
      [25, 50, 75, 100],
    );
  });

  test('a step over k batches is the step over one batch k times as large', async () => {
    const [parts, whole] = [regression(), regression()];
    const samples = keep(randn([12 * 8, 1]));
    const batches = (size: number) => (index: number) => samples.narrow(0, index * size, size).mul(1);
    await fit({ ...parts.options, batch: batches(2), accumulate: 4, steps: 12 });
    await fit({ ...whole.options, batch: batches(8), steps: 12 });
    samples.dispose();
    const difference = Math.abs(parts.model.weight.item() - whole.model.weight.item());
    assert.ok(difference < 1e-6, `weights differ by ${difference}`);
    assert.notEqual(parts.model.weight.item(), 3);
  });

  test('clipping scales all gradients together to the largest norm allowed, and reports the norm before', async () => {
    const { model, options } = regression({ target: (x) => x.mul(0).add(100) });
    const before = [model.weight.item(), model.bias!.item()];
    const norms: number[] = [];
    const onMetrics = ({ metrics }: MetricsLine) => void norms.push(metrics.gradientNorm!);
    await fit({ ...options, clipGradients: 0.5, steps: 1, logEvery: 1, onMetrics });
    const [weight, bias] = [model.weight.item() - before[0]!, model.bias!.item() - before[1]!];
    assert.ok(Math.abs(Math.hypot(weight, bias) - 0.1 * 0.5) < 1e-6, 'learning rate times norm');
    assert.ok(norms[0]! > 100);
  });

  test('gradients that are not numbers stop before they reach the weights', async () => {
    const { model, options } = regression();
    // The square root has an infinite slope at 0, where the chain rule multiplies it with 0.
    const loss = () => ({ loss: model.weight.sub(model.weight).sqrt().sum(), metrics: {}, ids: ['c'] });
    await assert.rejects(fit({ ...options, loss, clipGradients: 1, steps: 3 }), {
      code: 'gradients-not-finite',
      details: { step: 1, ids: ['c'] },
    });
    assert.ok(Number.isFinite(model.weight.item()));
  });

  test('mixed precision computes products in bfloat16 and keeps weights in float32', async () => {
    const { model, options } = regression();
    const dtypes = new Set<string>();
    const loss = (x: Tensor) => {
      const output = model.call(x);
      dtypes.add(output.dtype);
      return { loss: output.sub(x.mul(3)).square().mean(), metrics: {}, ids: [] };
    };
    await fit({ ...options, loss, amp: 'bfloat16', steps: 100 });
    assert.deepEqual([...dtypes], ['bfloat16']);
    assert.equal(model.weight.dtype, 'float32');
    assert.ok(Math.abs(model.weight.item() - 3) < 0.05, `${model.weight.item()}`);
  });

  test('validates every n steps and at the end, and stops when nothing gets better any more', async () => {
    const { options } = regression();
    const scores = [0.1, 0.3, Number.NaN, 0.2, 0.3, 0.4];
    const best: number[] = [];
    const lines: MetricsLine[] = [];
    const validation = {
      every: 4,
      measure: (step: number) => ({ accuracy: scores[Math.ceil(step / 4) - 1]! }),
      metric: 'accuracy',
      better: 'higher' as const,
      onBest: ({ step }: { step: number }) => void best.push(step),
    };
    const onMetrics = (line: MetricsLine) => void lines.push(line);
    const whole = await fit({ ...options, validation, steps: 22, onMetrics });
    assert.deepEqual(best, [4, 8, 22]);
    assert.deepEqual(whole, { steps: 22, best: { step: 22, value: 0.4, since: 0 } });
    const measured = lines
      .filter((line) => line.validation)
      .map(({ step, validation }) => [step, validation!.accuracy]);
    assert.deepEqual(measured, [[4, 0.1], [8, 0.3], [12, Number.NaN], [16, 0.2], [20, 0.3], [22, 0.4]]); // biome-ignore format: one line
    assert.deepEqual(
      lines.map(({ step }) => step),
      [4, 8, 10, 12, 16, 20, 22],
    );

    const short = await fit({ ...options, validation: { ...validation, patience: 3 }, steps: 22 });
    assert.deepEqual(short, { steps: 20, best: { step: 8, value: 0.3, since: 3 } });
    await assert.rejects(fit({ ...options, validation: { ...validation, metric: 'top1' }, steps: 4 }), {
      code: 'metric-missing',
      hint: 'It measured accuracy.',
    });
  });

  test('a plateau lowers the rate by validations, or else by the mean loss of spans of steps', async () => {
    const { model, options } = regression();
    const rates: number[] = [];
    const onMetrics = (line: MetricsLine) => void rates.push(Number(line.learningRate.toPrecision(6)));
    const constant = () => ({ loss: model.weight.mul(0).sum(), metrics: {}, ids: [] });
    const settings = { gamma: 0.5, patience: 1, lossSteps: 2 };
    const adaptiveRate = () => new Plateau(settings, 'lower');
    await fit({ ...options, loss: constant, adaptiveRate, steps: 10, logEvery: 1, onMetrics });
    assert.deepEqual(rates, [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05]);

    rates.length = 0;
    for (const group of options.optimizer.paramGroups) group.lr = 0.1;
    const validation = { every: 1, measure: () => ({ top1: 1 }), metric: 'top1', better: 'higher' as const };
    const byAccuracy = () => new Plateau(settings, 'higher');
    await fit({ ...options, adaptiveRate: byAccuracy, validation, steps: 6, onMetrics });
    assert.deepEqual(rates, [0.1, 0.1, 0.1, 0.05, 0.05, 0.025]);
  });
});
