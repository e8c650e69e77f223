import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nn, optim, randn, version } from '@chronotope/torch';
import { MetricsWindow } from './metrics-window.js';
import { OptimizerStep, type OptimizerStepOptions } from './optimizer-step.js';

function options(amp: 'float16' | 'bfloat16'): OptimizerStepOptions<null> {
  const module = new nn.Linear(2, 1);
  const optimizer = new optim.SGD(module.parameters(), { lr: 0.1 });
  return {
    optimizer,
    amp,
    batch: () => null,
    loss: () => ({ loss: module.call(randn([3, 2])).mean(), metrics: {}, ids: [] }),
  };
}

test('only float16 scales losses, and goes on with the scale it had', () => {
  assert.equal(new OptimizerStep(options('bfloat16')).scaler.enabled, false);
  const state = { scale: 8, growthFactor: 2, backoffFactor: 0.5, growthInterval: 2000, growthTracker: 7 };
  const { scaler } = new OptimizerStep(options('float16'), state);
  assert.equal(scaler.enabled, true);
  assert.deepEqual(scaler.stateDict(), state);
});

const [major, minor] = version().torch.split('.').map(Number);
const hasHalf = major! > 2 || (major === 2 && minor! >= 3);

test('float16 on a CPU that cannot compute in it says what to use', {
  skip: hasHalf && 'this libtorch can',
}, async () => {
  await assert.rejects(new OptimizerStep(options('float16')).run(0, new MetricsWindow()), { hint: /bfloat16/ });
});

test('float16 learns, and logs its scale', { skip: !hasHalf && 'this libtorch cannot on a CPU' }, async () => {
  const window = new MetricsWindow();
  await new OptimizerStep(options('float16')).run(0, window);
  assert.deepEqual(window.state.sums.lossScale, [65536, 1]);
});
