import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nn, optim, zeros } from '../index.js';
import { readGolden } from '../testing/golden.js';

const golden = readGolden<{
  learningRates: number[];
  cases: { name: string; options: Record<string, never>; rates: number[][] }[];
  metrics: (number | null)[];
  plateaus: { options: optim.PlateauOptions; rates: number[][] }[];
}>('optim/schedules.json');

function makeOptimizer(): optim.SGD {
  return new optim.SGD(golden.learningRates.map((lr) => ({ params: [new nn.Parameter(zeros([1]))], lr })));
}

const { warmupCosine } = optim;
const makers: Record<string, (optimizer: optim.SGD, options: never) => optim.Schedule> = {
  step: (optimizer, options) => new optim.StepLR(optimizer, options),
  multiStep: (optimizer, options) => new optim.MultiStepLR(optimizer, options),
  exponential: (optimizer, options) => new optim.ExponentialLR(optimizer, options),
  constant: (optimizer, options) => new optim.ConstantLR(optimizer, options),
  linear: (optimizer, options) => new optim.LinearLR(optimizer, options),
  cosine: (optimizer, options) => new optim.CosineAnnealingLR(optimizer, options),
  lambda: (optimizer) => new optim.LambdaLR(optimizer, (step) => 1 / (1 + step)),
  lambdas: (optimizer) => new optim.LambdaLR(optimizer, [(step) => 0.5 ** step, (step) => 1 + step]),
  warmupCosine: (optimizer, options) => new optim.LambdaLR(optimizer, warmupCosine(options)),
  chained: (optimizer) =>
    new optim.ChainedScheduler([
      new optim.ConstantLR(optimizer, { factor: 0.1, totalSteps: 3 }),
      new optim.ExponentialLR(optimizer, { gamma: 0.9 }),
    ]),
  sequential: (optimizer) =>
    new optim.SequentialLR(
      [
        new optim.LinearLR(optimizer, { startFactor: 0.1, totalSteps: 4 }),
        new optim.CosineAnnealingLR(optimizer, { totalSteps: 10 }),
        new optim.StepLR(optimizer, { stepSize: 2 }),
      ],
      { milestones: [4, 14] },
    ),
};

function ratesOf({ paramGroups }: optim.SGD): number[] {
  return paramGroups.map(({ lr }) => lr);
}

/** Both sides compute in 64-bit floats, in the same order; only cos and powers may differ in the last digit. */
function assertRates(actual: number[], expected: number[], what: string): void {
  for (const [index, rate] of expected.entries()) {
    const error = Math.abs(actual[index]! - rate);
    assert.ok(error <= 1e-12 * Math.max(rate, 1e-3), `${what}: ${actual[index]}, PyTorch says ${rate}`);
  }
}

for (const { name, options, rates } of golden.cases) {
  test(`${name} ${JSON.stringify(options)}: every rate equals PyTorch's`, () => {
    const optimizer = makeOptimizer();
    const schedule = makers[name]!(optimizer, options as never);
    for (const [step, expected] of rates.entries()) {
      assertRates(ratesOf(optimizer), expected, `step ${step}`);
      schedule.step();
    }
  });

  test(`${name} ${JSON.stringify(options)}: a restored schedule continues bit for bit`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: rates.length - 1 }), (stopAt) => {
        const [reference, optimizer] = [makeOptimizer(), makeOptimizer()];
        const first = makers[name]!(reference, options as never);
        for (let step = 0; step < stopAt; step++) {
          first.step();
        }
        const second = makers[name]!(optimizer, options as never);
        second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as optim.ScheduleState);
        for (let step = stopAt; step < rates.length; step++) {
          assert.deepEqual(ratesOf(optimizer), ratesOf(reference));
          first.step();
          second.step();
        }
      }),
      { numRuns: 10 },
    );
  });
}

for (const { options, rates } of golden.plateaus) {
  test(`ReduceLROnPlateau ${JSON.stringify(options)}: every rate equals PyTorch's, also after a restart`, () => {
    const optimizer = makeOptimizer();
    let schedule = new optim.ReduceLROnPlateau(optimizer, options);
    for (const [index, metric] of golden.metrics.entries()) {
      schedule.step(metric ?? Number.NaN);
      assertRates(ratesOf(optimizer), rates[index]!, `step ${index}`);
      const state = JSON.parse(JSON.stringify(schedule.stateDict())) as optim.PlateauState;
      schedule = new optim.ReduceLROnPlateau(optimizer, options);
      schedule.loadStateDict(state);
    }
  });
}

test('the rates survive being loaded before or after those of the optimiser', () => {
  const [source, target] = [makeOptimizer(), makeOptimizer()];
  const schedule = new optim.LinearLR(source, { startFactor: 0.1 });
  schedule.step();
  const [optimizerState, scheduleState] = [source.stateDict(), schedule.stateDict()];
  target.loadStateDict(optimizerState);
  const resumed = new optim.LinearLR(target, { startFactor: 0.1 });
  resumed.loadStateDict(scheduleState);
  assert.deepEqual(ratesOf(target), ratesOf(source));
  resumed.step();
  schedule.step();
  assert.deepEqual(ratesOf(target), ratesOf(source));
});

test('a warm-up from 0 reaches the full rate, and the cosine ends where it is told to', () => {
  const factor = warmupCosine({ warmupSteps: 10, totalSteps: 100, endFactor: 0.1 });
  assert.deepEqual([factor(0), factor(5), factor(10)], [0, 0.5, 1]);
  assert.ok(Math.abs(factor(55) - 0.55) < 1e-12);
  assert.ok(Math.abs(factor(100) - 0.1) < 1e-12);
  assert.equal(factor(1000), factor(100));
  assert.equal(warmupCosine({ totalSteps: 4 })(0), 1);
});

test('numbers that do not fit the parameter groups are refused', () => {
  const optimizer = makeOptimizer();
  const argument = { name: 'TorchError', code: 'argument' };
  assert.throws(() => new optim.LambdaLR(optimizer, [() => 1]), argument);
  assert.throws(() => new optim.LinearLR(optimizer, { startFactor: 0 }), argument);
  assert.throws(() => new optim.ReduceLROnPlateau(optimizer, { minLr: [0] }), argument);
  const step = new optim.StepLR(optimizer, { stepSize: 1 });
  assert.throws(() => step.loadStateDict({ step: 0, groups: [{ lr: 1, initialLr: 1 }], parts: [] }), argument);
  assert.throws(() => new optim.SequentialLR([step], { milestones: [1] }), argument);
  assert.throws(() => new optim.ChainedScheduler([step]).loadStateDict(step.stateDict()), argument);
});
