import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { memory, nn, optim, scope, tensor } from '../index.js';
import { assertCloseValues } from '../testing/golden.js';

type Stored = number[] | null;

const golden = JSON.parse(readFileSync(new URL('../../golden/optim/steps.json', import.meta.url), 'utf8')) as {
  shapes: number[][];
  parameters: number[][];
  gradients: Stored[][];
  cases: {
    name: 'adam' | 'adamw' | 'sgd' | 'adamGroups';
    options: Record<string, never>;
    learningRates: Record<string, number>;
    trajectory: number[][][];
  }[];
  clipGradNorm: { maxNorm: number; normType: number | 'inf'; norm: number; gradients: number[][] }[];
};

function makeParameters(): nn.Parameter[] {
  return golden.parameters.map(
    (values, index) => new nn.Parameter(tensor(Float32Array.from(values), { shape: golden.shapes[index]! })),
  );
}

function setGradients(parameters: nn.Parameter[], gradients: Stored[]): void {
  for (const [index, parameter] of parameters.entries()) {
    const values = gradients[index];
    parameter.grad = values ? tensor(Float32Array.from(values), { shape: golden.shapes[index]! }) : null;
  }
}

function makeOptimizer(name: string, parameters: nn.Parameter[], options: Record<string, never>): optim.Optimizer {
  switch (name) {
    case 'adam':
      return new optim.Adam(parameters, options);
    case 'adamw':
      return new optim.AdamW(parameters, options);
    case 'sgd':
      return new optim.SGD(parameters, options);
    case 'adamGroups':
      return new optim.Adam(
        [
          { params: [parameters[0]!], lr: 0.2 },
          { params: [parameters[1]!], weightDecay: 0.5 },
        ],
        { lr: 0.05 },
      );
    default:
      throw new Error(`no optimiser called ${name}`);
  }
}

function step(optimizer: optim.Optimizer, parameters: nn.Parameter[], index: number, lr?: number): void {
  scope(() => {
    if (lr !== undefined) {
      optimizer.paramGroups[0]!.lr = lr;
    }
    setGradients(parameters, golden.gradients[index]!);
    optimizer.step();
  });
}

function assertParameters(parameters: nn.Parameter[], expected: number[][], what: string): void {
  for (const [index, parameter] of parameters.entries()) {
    assertCloseValues([...parameter.data()].map(Number), expected[index]!, `${what}, parameter ${index}`, 5e-7);
  }
}

for (const { name, options, learningRates, trajectory } of golden.cases) {
  test(`${name} ${JSON.stringify(options)} ${JSON.stringify(learningRates)}: every step equals PyTorch's`, () => {
    const parameters = makeParameters();
    const optimizer = makeOptimizer(name, parameters, options);
    for (const [index, expected] of trajectory.entries()) {
      step(optimizer, parameters, index, learningRates[index]);
      assertParameters(parameters, expected, `step ${index}`);
    }
    optimizer.dispose();
  });

  test(`${name} ${JSON.stringify(options)}: a restored state continues exactly`, () => {
    const parameters = makeParameters();
    const first = makeOptimizer(name, parameters, options);
    const rates = Object.entries(learningRates).map(([index, lr]) => [Number(index), lr] as const);
    const rateBy = new Map(rates);
    for (let index = 0; index < 3; index++) {
      step(first, parameters, index, rateBy.get(index));
    }
    const second = makeOptimizer(name, parameters, {});
    scope(() => {
      const { tensors, values } = first.stateDict();
      second.loadStateDict({ tensors, values: JSON.parse(JSON.stringify(values)) });
    });
    first.dispose();
    for (let index = 3; index < trajectory.length; index++) {
      step(second, parameters, index, rateBy.get(index));
      assertParameters(parameters, trajectory[index]!, `step ${index}`);
    }
    second.dispose();
  });
}

for (const { maxNorm, normType, norm, gradients } of golden.clipGradNorm) {
  test(`clipGradNorm_ to ${maxNorm} in the ${normType}-norm equals PyTorch's`, () => {
    scope(() => {
      const parameters = makeParameters();
      setGradients(parameters, golden.gradients[0]!);
      const before = optim.clipGradNorm_(parameters, maxNorm, { normType: normType === 'inf' ? Infinity : normType });
      assertCloseValues([before.item()], [norm], 'norm', 1e-6);
      for (const [index, parameter] of parameters.entries()) {
        assertCloseValues([...parameter.grad!.data()].map(Number), gradients[index]!, `gradient ${index}`, 1e-6);
      }
    });
  });
}

test('clipGradNorm_ without any gradient returns 0', () => {
  scope(() => {
    assert.equal(optim.clipGradNorm_(makeParameters(), 1).item(), 0);
  });
});

test('an optimiser refuses no parameters, a parameter given twice and the state of another shape', () => {
  const parameters = makeParameters();
  const argument = { name: 'TorchError', code: 'argument' };
  assert.throws(() => new optim.SGD([]), argument);
  assert.throws(() => new optim.SGD([parameters[0]!, parameters[0]!]), argument);
  const adam = new optim.Adam(parameters);
  step(adam, parameters, 0);
  const swapped = new optim.Adam([...parameters].reverse());
  scope(() => assert.throws(() => swapped.loadStateDict(adam.stateDict()), argument));
  adam.dispose();
});

test('steps leave no tensor behind, and dispose frees the state', () => {
  const parameters = makeParameters();
  const before = memory().liveTensors;
  const adam = new optim.Adam(parameters, { weightDecay: 0.1 });
  step(adam, parameters, 0);
  adam.zeroGrad();
  const after = memory().liveTensors;
  assert.equal(after, before + 4);
  for (let repeat = 0; repeat < 20; repeat++) {
    step(adam, parameters, 0);
    adam.zeroGrad();
  }
  assert.equal(memory().liveTensors, after);
  adam.dispose();
  assert.equal(memory().liveTensors, before);
});
