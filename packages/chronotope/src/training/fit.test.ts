import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualSeed, memory, nn, optim, randn, type Tensor, zeros } from '@chronotope/torch';
import { fit, type MetricsLine } from './fit.js';

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
    assert.ok(lines.every(({ dataShare }) => dataShare >= 0 && dataShare <= 1));
  });

  test('keeps no tensor of a step', async () => {
    const { options } = regression();
    await fit({ ...options, steps: 2 });
    const before = memory().liveTensors;
    await fit({ ...options, steps: 200 });
    assert.equal(memory().liveTensors, before);
  });

  test('a loss that is not a number stops with the samples of the batch', async () => {
    const { options } = regression({ target: (x) => zeros(x.shape).div(0) });
    await assert.rejects(fit({ ...options, steps: 5 }), (error: Error & { code?: string; details?: unknown }) => {
      assert.equal(error.code, 'loss-not-finite');
      assert.deepEqual(error.details, { step: 1, ids: ['a', 'b'] });
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
});
