import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nn, optim, zeros } from '@chronotope/torch';
import fc from 'fast-check';
import { namedSchedule, Plateau, warmupCosine } from './schedule.js';

const settings = { name: 'constant', gamma: 0.3, every: 0.25, milestones: [0.5, 0.8] } as const;

test('warm-up rises linearly to 1 and the cosine falls from 1 through 1/2 towards 0', () => {
  const schedule = warmupCosine({ steps: 24, warmupSteps: 4 });
  assert.deepEqual([0, 1, 2, 3].map(schedule), [0.25, 0.5, 0.75, 1]);
  assert.equal(schedule(4), 1);
  assert.ok(Math.abs(schedule(14) - 0.5) < 1e-12);
  assert.ok(schedule(23) > 0 && schedule(23) < 0.01);
  assert.ok(schedule(24) < 1e-12);
});

test('without warm-up the first step uses the full rate', () => {
  assert.equal(warmupCosine({ steps: 10 })(0), 1);
});

/** The factors that one of the engine's schedules, which equal PyTorch's, gives to a rate of 1. */
function engineFactors(steps: number, make: (optimizer: optim.SGD) => optim.Schedule): number[] {
  const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
  const schedule = make(optimizer);
  return Array.from({ length: steps }, () => {
    const { lr } = optimizer.paramGroups[0]!;
    schedule.step();
    return lr;
  });
}

function assertFactors(name: 'step' | 'multi-step' | 'cosine' | 'linear', expected: number[]): void {
  const schedule = namedSchedule({ ...settings, name }, { steps: expected.length });
  for (const [step, factor] of expected.entries()) {
    assert.ok(Math.abs(schedule(step) - factor) < 1e-12, `${name}, step ${step}: ${schedule(step)}, not ${factor}`);
  }
}

test('the named schedules are those of the engine, with shares of the steps in place of steps', () => {
  assertFactors(
    'step',
    engineFactors(20, (o) => new optim.StepLR(o, { stepSize: 5, gamma: 0.3 })),
  );
  assertFactors(
    'multi-step',
    engineFactors(20, (o) => new optim.MultiStepLR(o, { milestones: [10, 16], gamma: 0.3 })),
  );
  assertFactors(
    'cosine',
    engineFactors(20, (o) => new optim.CosineAnnealingLR(o, { totalSteps: 20 })),
  );
  assertFactors(
    'linear',
    Array.from({ length: 20 }, (_, step) => 1 - step / 20),
  );
});

test('every named schedule begins with the same warm-up', () => {
  for (const name of ['cosine', 'constant', 'linear', 'step', 'multi-step', 'plateau'] as const) {
    const schedule = namedSchedule({ ...settings, name }, { steps: 100, warmupSteps: 5 });
    assert.deepEqual([0, 1, 2, 3, 4, 5].map(schedule), [0.2, 0.4, 0.6, 0.8, 1, 1], name);
  }
});

test('a plateau takes the decisions of ReduceLROnPlateau, also when it goes on from its state', () => {
  const value = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(Number.NaN));
  fc.assert(
    fc.property(fc.array(value), fc.constantFrom('higher', 'lower'), fc.nat(3), (values, better, patience) => {
      const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
      const mode = better === 'higher' ? 'max' : 'min';
      const options = { mode, factor: 0.5, patience, threshold: 0, eps: 0 } as const;
      const expected = new optim.ReduceLROnPlateau(optimizer, options);
      let plateau = new Plateau({ gamma: 0.5, patience, lossSteps: 1 }, better);
      for (const [index, one] of values.entries()) {
        expected.step(one);
        plateau.takeMeasurement(index + 1, one);
        assert.equal(plateau.factor, optimizer.paramGroups[0]!.lr);
        const saved = JSON.parse(JSON.stringify(plateau.state));
        plateau = new Plateau({ gamma: 0.5, patience, lossSteps: 1 }, better, saved);
      }
    }),
  );
});
