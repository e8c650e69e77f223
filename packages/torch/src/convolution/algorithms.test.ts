import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import fc from 'fast-check';
import { rand, randn } from '../creation.js';
import { TorchError } from '../errors.js';
import { gradcheck } from '../gradcheck.js';
import { op } from '../operator.js';
import { manualSeed } from '../random.js';
import { getNumThreads } from '../runtime.js';
import { scope } from '../scope.js';
import type { DType, Tensor } from '../tensor.js';
import { ALGORITHMS, candidates, runAlgorithm } from './algorithms.js';
import { convolution } from './convolution.js';
import { keyOf, outputSize, type Pass, type Problem } from './problem.js';
import { convolutionTuning, setConvolutionChoices } from './tuning.js';

const PASSES: readonly Pass[] = ['forward', 'inputGradient', 'weightGradient'];

afterEach(() => {
  convolutionTuning({ enabled: false });
  setConvolutionChoices({});
});

function arrayOf(dimensions: number, min: number, max: number) {
  return fc.array(fc.integer({ min, max }), { minLength: dimensions, maxLength: dimensions });
}

/** Problems of two and three dimensions with everything a layer allows, whose output is not empty. */
const anyProblem: fc.Arbitrary<Problem> = fc
  .constantFrom(2, 3)
  .chain((dimensions) =>
    fc.record({
      batch: fc.integer({ min: 1, max: 3 }),
      groups: fc.constantFrom(1, 1, 2),
      channels: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
      size: arrayOf(dimensions, 1, 7),
      kernel: fc.oneof(arrayOf(dimensions, 1, 3), fc.constant(new Array<number>(dimensions).fill(1))),
      stride: arrayOf(dimensions, 1, 3),
      padding: fc.oneof(arrayOf(dimensions, 0, 2), fc.constant(new Array<number>(dimensions).fill(0))),
      dilation: arrayOf(dimensions, 1, 2),
    }),
  )
  .map(({ batch, groups, channels, size, kernel, ...geometry }) => ({
    ...geometry,
    groups,
    input: [batch, channels[0] * groups, ...size],
    weight: [channels[1] * groups, channels[0], ...kernel],
    dtype: 'float64',
  }))
  .filter((problem) => outputSize(problem).every((size) => size > 0));

/** Problems for Winograd's algorithm: whole blocks of channels, kernels of 3x3 in space, anything in time. */
const winogradProblem: fc.Arbitrary<Problem> = fc
  .record({
    hasTime: fc.boolean(),
    batch: fc.integer({ min: 1, max: 3 }),
    channels: fc.tuple(fc.constantFrom(32, 64, 96), fc.constantFrom(32, 64, 96)),
    size: arrayOf(3, 1, 11),
    taps: fc.integer({ min: 1, max: 3 }),
    strideT: fc.integer({ min: 1, max: 2 }),
    dilationT: fc.integer({ min: 1, max: 2 }),
    padding: arrayOf(3, 0, 2),
  })
  .map(({ hasTime, batch, channels: [inChannels, outChannels], size, taps, strideT, dilationT, padding }) => ({
    input: [batch, inChannels, ...(hasTime ? size : size.slice(1))],
    weight: [outChannels, inChannels, ...(hasTime ? [taps] : []), 3, 3],
    stride: hasTime ? [strideT, 1, 1] : [1, 1],
    padding: hasTime ? padding : padding.slice(1),
    dilation: hasTime ? [dilationT, 1, 1] : [1, 1],
    groups: 1,
    dtype: 'float32',
  }))
  .filter((problem) => outputSize(problem).every((size) => size > 0));

function operandsOf(problem: Problem, pass: Pass): Tensor[] {
  const dtype = problem.dtype as DType;
  const x = randn(problem.input, { dtype });
  const weight = randn(problem.weight, { dtype });
  if (pass === 'forward') return [x, weight];
  return [x, weight, randn([problem.input[0]!, problem.weight[0]!, ...outputSize(problem)], { dtype })];
}

/** The greatest difference from libtorch's own operator in float64, as a share of the greatest value. */
function relativeError(name: string, pass: Pass, problem: Problem): number {
  return scope(() => {
    const operands = operandsOf(problem, pass);
    const wide = operands.map((operand) => operand.to({ dtype: 'float64' }));
    const expected = runAlgorithm('plain', pass, { ...problem, dtype: 'float64' }, wide);
    const actual = runAlgorithm(name, pass, problem, operands);
    assert.deepEqual(actual.shape, expected.shape);
    const scale = Math.max(expected.abs().max().item(), 1e-3);
    return actual.to({ dtype: 'float64' }).sub(expected).abs().max().item() / scale;
  });
}

test('every algorithm computes the passes it claims to support as libtorch does, for any shape', () => {
  manualSeed(1);
  const used = new Set<string>();
  fc.assert(
    fc.property(anyProblem, (problem) => {
      for (const pass of PASSES) {
        for (const name of candidates(pass, problem)) {
          used.add(name);
          assert.ok(relativeError(name, pass, problem) < 1e-12, `${name}, ${pass}`);
        }
      }
    }),
    { numRuns: 120, seed: 7 },
  );
  assert.deepEqual([...used].sort(), ['channelsLast', 'plain', 'pointwise', 'shifted', 'turned', 'unfolded']);
});

test("Winograd's algorithm has the accuracy that is documented, for any size, padding and kernel in time", () => {
  manualSeed(2);
  const bounds = [
    ['winograd2', 5e-6],
    ['winograd4', 1e-4],
  ] as const;
  const passed = new Set<string>();
  fc.assert(
    fc.property(winogradProblem, (problem) => {
      for (const pass of PASSES) {
        for (const [name, bound] of bounds) {
          if (!candidates(pass, problem).includes(name)) continue;
          passed.add(pass);
          const error = relativeError(name, pass, problem);
          assert.ok(error < bound, `${name}, ${pass}: ${error}`);
        }
      }
    }),
    { numRuns: 40, seed: 7 },
  );
  assert.deepEqual([...passed].sort(), [...PASSES].sort());
});

test('parts of the batch that are transformed one after the other give what the whole gives', () => {
  manualSeed(3);
  // Transformed, one of these clips fills more than half of what is kept in the cache.
  const problem: Problem = {
    input: [3, 64, 5, 40, 40],
    weight: [64, 64, 3, 3, 3],
    stride: [1, 1, 1],
    padding: [1, 1, 1],
    dilation: [1, 1, 1],
    groups: 1,
    dtype: 'float32',
  };
  for (const pass of PASSES) {
    assert.ok(relativeError('winograd4', pass, problem) < 1e-4, pass);
  }
});

test('no algorithm is a candidate for what it cannot compute', () => {
  const base: Problem = {
    input: [2, 32, 4, 8, 8],
    weight: [32, 32, 3, 3, 3],
    stride: [1, 1, 1],
    padding: [1, 1, 1],
    dilation: [1, 1, 1],
    groups: 1,
    dtype: 'float32',
  };
  const isWinograd = (change: Partial<Problem>, pass: Pass = 'forward') =>
    candidates(pass, { ...base, ...change }).includes('winograd2');
  assert.ok(isWinograd({}));
  assert.ok(isWinograd({ stride: [2, 1, 1] }));
  assert.ok(!isWinograd({ stride: [2, 1, 1] }, 'inputGradient'));
  assert.ok(!isWinograd({ stride: [1, 1, 2] }));
  assert.ok(!isWinograd({ dilation: [1, 2, 1] }));
  assert.ok(!isWinograd({ weight: [48, 32, 3, 3, 3] }));
  assert.ok(!isWinograd({ weight: [32, 32, 3, 3, 5] }));
  assert.ok(!isWinograd({ weight: [32, 16, 3, 3, 3], groups: 2 }));
  assert.ok(!isWinograd({ padding: [1, 3, 3] }, 'inputGradient'));
  assert.ok(!isWinograd({ dtype: 'float64' }));
  assert.ok(!isWinograd({ input: [2, 1024, 4, 8, 8], weight: [1024, 1024, 3, 3, 3] }), 'too much memory');
  assert.ok(candidates('weightGradient', base).includes('unfolded'));
  assert.ok(!candidates('weightGradient', { ...base, input: [64, 32, 16, 64, 64] }).includes('unfolded'));
  assert.deepEqual(candidates('weightGradient', { ...base, weight: [32, 16, 3, 3, 3], groups: 2 }), [
    'plain',
    'channelsLast',
  ]);
});

test('the layers compute with what is chosen for them, and their gradients equal finite differences', () => {
  manualSeed(4);
  const geometry = { stride: [1, 2, 1], padding: [1, 0, 1], dilation: [1, 1, 2], groups: 1 };
  const shapes = { input: [2, 2, 2, 3, 4], weight: [3, 2, 2, 1, 2] };
  const pointwiseShapes = { input: [2, 2, 2, 3, 4], weight: [3, 2, 1, 1, 1] };
  for (const name of ALGORITHMS.keys()) {
    if (name.startsWith('winograd')) continue; // float32 only
    const isPointwise = name === 'pointwise';
    const shape = isPointwise ? pointwiseShapes : shapes;
    const changed = isPointwise ? { padding: [0, 0, 0] } : name === 'turned' ? { stride: [1, 1, 1] } : {};
    const problem: Problem = { ...geometry, ...changed, ...shape, dtype: 'float64' };
    const able = PASSES.filter((pass) => candidates(pass, problem).includes(name));
    assert.ok(able.length > 0, name);
    setConvolutionChoices(Object.fromEntries(able.map((pass) => [keyOf(pass, problem, getNumThreads()), name])));
    convolutionTuning({ enabled: true, measure: false });
    scope(() => {
      const x = rand(problem.input, { dtype: 'float64' }).requiresGrad_();
      const weight = rand(problem.weight, { dtype: 'float64' }).requiresGrad_();
      const bias = rand([3], { dtype: 'float64' }).requiresGrad_();
      gradcheck((...inputs) => convolution(inputs[0]!, inputs[1]!, inputs[2]!, problem).sin(), [x, weight, bias]);
    });
  }
});

test('the native kernels refuse what they cannot compute, and do not crash', () => {
  const winograd = op('chronotope::winograd');
  const weightGradient = op('chronotope::winograd_weight_gradient');
  const x = randn([1, 32, 2, 5, 5]);
  const weight = randn([32, 32, 3, 3, 3]);
  const refusals: (() => unknown)[] = [
    () => winograd(randn([1, 16, 2, 5, 5]), weight, 1, [1, 1, 1], 1, 2, false),
    () => winograd(x, randn([32, 32, 3, 3, 5]), 1, [1, 1, 1], 1, 2, false),
    () => winograd(x, weight, 1, [1, 1, 1], 1, 3, false),
    () => winograd(x, weight, 0, [1, 1, 1], 1, 2, false),
    () => winograd(x, weight, 1, [1, -1, 1], 1, 2, false),
    () => winograd(x, weight, 1, [0, 1, 1], 1, 2, false),
    () => winograd(x.to({ dtype: 'float64' }), weight, 1, [1, 1, 1], 1, 2, false),
    () => winograd(x, weight.to({ dtype: 'float64' }), 1, [1, 1, 1], 1, 2, false),
    () => weightGradient(x, randn([1, 32, 2, 5, 4]), 3, 1, [1, 1, 1], 1, 2),
    () => weightGradient(x, randn([1, 32, 2, 5, 5]), 17, 1, [8, 1, 1], 1, 2),
  ];
  for (const refusal of refusals) assert.throws(refusal, TorchError);
});
