import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memory, nn, optim, rand, scope, tensor, zeros } from '../index.js';
import { assertCloseValues, readGolden } from '../testing/golden.js';

type Stored = number[] | null;

const golden = readGolden<{
  shapes: number[][];
  parameters: number[][];
  gradients: Stored[][];
  cases: {
    name: 'adam' | 'adamw' | 'sgd' | 'lars' | 'adamGroups';
    options: Record<string, never>;
    learningRates: Record<string, number>;
    trajectory: number[][][];
  }[];
  clipGradNorm: { maxNorm: number; normType: number | 'inf'; norm: number; gradients: number[][] }[];
  clipGradNormPerTensor: { maxNorm: number; norms: number[]; gradients: number[][] }[];
  clipGradValue: { maxValue: number; gradients: number[][] }[];
}>('optim/steps.json');

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
    case 'lars':
      return new optim.LARS(parameters, options);
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

function assertGradients(parameters: nn.Parameter[], expected: number[][]): void {
  for (const [index, { grad }] of parameters.entries()) {
    assertCloseValues([...grad!.data()].map(Number), expected[index]!, `gradient ${index}`, 1e-6);
  }
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

  test(`${name} ${JSON.stringify(options)}: a restored state continues bit for bit`, () => {
    const uninterrupted = makeParameters();
    const reference = makeOptimizer(name, uninterrupted, options);
    const parameters = makeParameters();
    const first = makeOptimizer(name, parameters, options);
    const rates = Object.entries(learningRates).map(([index, lr]) => [Number(index), lr] as const);
    const rateBy = new Map(rates);
    for (let index = 0; index < trajectory.length; index++) {
      step(reference, uninterrupted, index, rateBy.get(index));
    }
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
    }
    for (const [index, parameter] of parameters.entries()) {
      assert.deepEqual(parameter.data(), uninterrupted[index]!.data());
    }
    second.dispose();
    reference.dispose();
  });
}

for (const { maxNorm, normType, norm, gradients } of golden.clipGradNorm) {
  test(`clipGradNorm_ to ${maxNorm} in the ${normType}-norm equals PyTorch's`, () => {
    scope(() => {
      const parameters = makeParameters();
      setGradients(parameters, golden.gradients[0]!);
      const before = optim.clipGradNorm_(parameters, maxNorm, { normType: normType === 'inf' ? Infinity : normType });
      assertCloseValues([before.item()], [norm], 'norm', 1e-6);
      assertGradients(parameters, gradients);
    });
  });
}

for (const { maxNorm, norms, gradients } of golden.clipGradNormPerTensor) {
  test(`clipGradNormPerTensor_ to ${maxNorm} clips each gradient as PyTorch clips one alone`, () => {
    scope(() => {
      const parameters = makeParameters();
      setGradients(parameters, golden.gradients[0]!);
      const before = optim.clipGradNormPerTensor_(parameters, maxNorm);
      assertCloseValues([...before.data()].map(Number), norms, 'norms', 1e-6);
      assertGradients(parameters, gradients);
    });
  });
}

for (const { maxValue, gradients } of golden.clipGradValue) {
  test(`clipGradValue_ to ${maxValue} equals PyTorch's`, () => {
    scope(() => {
      const parameters = makeParameters();
      setGradients(parameters, golden.gradients[0]!);
      optim.clipGradValue_(parameters, maxValue);
      assertGradients(parameters, gradients);
    });
  });
}

test('clipGradNorm_ can refuse gradients that are not finite, and leaves them as they are then', () => {
  scope(() => {
    const parameter = new nn.Parameter(zeros([2]));
    parameter.grad = tensor([1, Infinity]);
    assert.throws(() => optim.clipGradNorm_([parameter], 1, { errorIfNonfinite: true }), {
      name: 'TorchError',
      message: 'the norm of the gradients is Infinity',
    });
    assert.deepEqual(parameter.grad.toArray(), [1, Infinity]);
  });
});

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
  assert.throws(() => new optim.SGD([{ params: [parameters[0]!] }, { params: [] }]), argument);
  const adam = new optim.Adam(parameters);
  step(adam, parameters, 0);
  const swapped = new optim.Adam([...parameters].reverse());
  scope(() => assert.throws(() => swapped.loadStateDict(adam.stateDict()), argument));
  adam.dispose();
});

test('the state of another kind of optimiser is refused', () => {
  const parameters = makeParameters();
  const sgd = new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 });
  step(sgd, parameters, 0);
  const adam = new optim.Adam(parameters, { lr: 0.5 });
  scope(() =>
    assert.throws(() => adam.loadStateDict(sgd.stateDict()), {
      code: 'argument',
      message: "optimiser state does not fit: '0.exp_avg', which Adam needs, is missing",
    }),
  );
  assert.equal(adam.paramGroups[0]!.lr, 0.5);
  step(adam, parameters, 1);
  for (const optimizer of [sgd, adam]) {
    optimizer.dispose();
  }
});

test('settings out of their range are refused with their name', () => {
  const parameters = makeParameters();
  const refused = (make: () => unknown, message: RegExp) =>
    assert.throws(make, { name: 'TorchError', code: 'argument', message });
  refused(() => new optim.SGD(parameters, { lr: -1 }), /SGD: lr must be a number of 0 or more, not -1/);
  refused(() => new optim.Adam(parameters, { lr: Number.NaN }), /Adam: lr must be a number of 0 or more, not NaN/);
  refused(() => new optim.AdamW(parameters, { betas: [0.9, 1] }), /AdamW: betas must lie in \[0, 1\), not \[0.9,1\]/);
  refused(() => new optim.SGD(parameters, { nesterov: true }), /nesterov needs a momentum/);
  refused(() => new optim.LARS(parameters, { trustCoefficient: -1 }), /LARS: trustCoefficient must be/);
  refused(() => new optim.Adam([{ params: parameters, weightDecay: -1 }]), /weightDecay must be/);
});

test('clipping to a norm keeps the direction and leaves short gradients alone', () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 6 }),
      fc.float({ min: Math.fround(0.01), max: 200, noNaN: true }),
      (values, maxNorm) => {
        scope(() => {
          const parameters = values.map((value) => {
            const parameter = new nn.Parameter(zeros([1]));
            parameter.grad = tensor([value]);
            return parameter;
          });
          const norm = optim.clipGradNorm_(parameters, maxNorm).item();
          const factor = Math.min(1, maxNorm / (norm + 1e-6));
          const clipped = parameters.map(({ grad }) => grad!.item());
          assertCloseValues(
            clipped,
            values.map((value) => value * factor),
            'clipped',
            1e-5,
          );
          assert.ok(Math.hypot(...clipped) <= maxNorm * (1 + 1e-5));
        });
      },
    ),
    { numRuns: 50 },
  );
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

test('addParamGroup trains further parameters with settings of their own', () => {
  scope(() => {
    const [first, second] = makeParameters();
    const sgd = new optim.SGD([first!], { lr: 0.5, momentum: 0.9 });
    sgd.addParamGroup({ params: [second!], lr: 0.1 });
    const { params: _, ...settings } = sgd.paramGroups[1]!;
    assert.deepEqual(settings, { lr: 0.1, momentum: 0.9, dampening: 0, nesterov: false, weightDecay: 0 });
    const before = second!.data();
    second!.grad = tensor([1, 2, 3, 4]);
    sgd.step();
    const expected = [1, 2, 3, 4].map((grad, index) => Number(before[index]) - 0.1 * grad);
    assertCloseValues([...second!.data()].map(Number), expected, 'second parameter', 1e-6);
    assert.throws(() => sgd.addParamGroup({ params: [first!] }), { code: 'argument', message: /more than once/ });
    assert.throws(() => sgd.addParamGroup({ params: [] }), { code: 'argument', message: /without parameters/ });
    assert.equal(sgd.paramGroups.length, 2);
    sgd.dispose();
  });
});

test('momentum may be switched on between steps', () => {
  scope(() => {
    const parameter = new nn.Parameter(zeros([1]));
    const sgd = new optim.SGD([parameter], { lr: 1 });
    const stepWith = (grad: number) => {
      parameter.grad = tensor([grad]);
      sgd.step();
    };
    stepWith(1);
    sgd.paramGroups[0]!.momentum = 0.5;
    stepWith(1);
    stepWith(1);
    assert.equal(parameter.item(), -1 - 1 - 1.5);
    sgd.dispose();
  });
});

test('LARS: the first update of a weight has the length lr * eta * ||w||, whatever the gradient', () => {
  scope(() => {
    for (const size of [1e-3, 1, 1e3]) {
      const weight = new nn.Parameter(rand([4, 5]));
      const before = weight.detach().clone();
      weight.grad = rand([4, 5]).mul(size);
      new optim.LARS([weight], { lr: 3, trustCoefficient: 0.01 }).step();
      const ratio = weight.detach().sub(before).norm().item() / before.norm().item();
      assert.ok(Math.abs(ratio - 0.03) < 1e-5, `${ratio} for a gradient of size ${size}`);
    }
  });
});

test('LARS: weights of length 0 are trained with the plain rate', () => {
  scope(() => {
    const weight = new nn.Parameter(zeros([1, 2]));
    weight.grad = tensor([[1, -2]]);
    new optim.LARS([weight], { lr: 0.5 }).step();
    assert.deepEqual(weight.toArray(), [[-0.5, 1]]);
  });
});
