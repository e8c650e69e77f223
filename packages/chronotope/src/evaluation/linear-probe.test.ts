import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eye, linalgSolve, scope, softmax, type Tensor, tensor } from '@chronotope/torch';
import { randomStream } from '../random.js';
import { minimise } from './lbfgs.js';
import { fitLinearProbe, validationFolds } from './linear-probe.js';
import { argmax } from './video-level.js';

const CLASSES = 3;

/** Overlapping clouds of points, one for each class, with features of very different scales. */
function clouds(rows: number, seed: number, spread = 1.5): { values: number[][]; labels: number[] } {
  const random = randomStream(seed, 'test');
  const labels = Array.from({ length: rows }, (_, row) => row % CLASSES);
  const values = labels.map((label) => [
    random.normal(label === 0 ? 2 : 0, spread),
    1000 * random.normal(label === 1 ? 2 : 0, spread),
    0.01 * random.normal(0, spread),
    5,
  ]);
  return { values, labels };
}

/** The minimum by Newton's method with the whole Hessian, on features that are standardised here. */
function newton(values: readonly number[][], labels: readonly number[], penalty: number): number[][] {
  return scope(() => {
    const [rows, width] = [values.length, values[0]!.length];
    const raw = tensor(
      values.map((row) => [...row]),
      { dtype: 'float64' },
    );
    const centred = raw.sub(raw.mean(0));
    const deviation = centred.square().mean(0).sqrt();
    const x = centred.div(deviation.clamp({ min: 1e-12 }));
    const inputs = tensor(
      (x.toArray() as number[][]).map((row) => [...row, 1]),
      { dtype: 'float64' },
    );
    const size = CLASSES * (width + 1);
    // The penalty on weights; the biases' common shift changes nothing, a trace of one makes it unique.
    const ridge = Array.from({ length: size }, (_, k) => (k % (width + 1) === width ? 1e-9 : penalty));
    let theta = new Float64Array(size);
    for (let iteration = 0; iteration < 30; iteration++) {
      const probabilities = predict(inputs, theta);
      const gradient = Float64Array.from(theta, (value, k) => ridge[k]! * value);
      let hessian: Tensor = eye(size, { dtype: 'float64' }).mul(tensor(Float64Array.from(ridge)));
      const features = inputs.toArray() as number[][];
      const blocks = Array.from({ length: size }, () => new Float64Array(size));
      for (let row = 0; row < rows; row++) {
        for (let a = 0; a < size; a++) {
          const [ca, ka] = [Math.floor(a / (width + 1)), a % (width + 1)];
          const pa = probabilities[row]![ca]!;
          gradient[a]! += ((pa - (labels[row] === ca ? 1 : 0)) * features[row]![ka]!) / rows;
          for (let b = 0; b < size; b++) {
            const [cb, kb] = [Math.floor(b / (width + 1)), b % (width + 1)];
            const curvature = (ca === cb ? pa : 0) - pa * probabilities[row]![cb]!;
            blocks[a]![b]! += (curvature * features[row]![ka]! * features[row]![kb]!) / rows;
          }
        }
      }
      hessian = hessian.add(
        tensor(
          blocks.map((block) => [...block]),
          { dtype: 'float64' },
        ),
      );
      const step = linalgSolve(hessian, tensor(gradient)).data() as Float64Array;
      theta = theta.map((value, k) => value - step[k]!);
    }
    return predict(inputs, theta);
  });
}

function predict(inputs: Tensor, theta: Float64Array): number[][] {
  const weights = tensor(theta, { shape: [CLASSES, theta.length / CLASSES] });
  return softmax(inputs.matmul(weights.transpose(0, 1)), 1).toArray() as number[][];
}

describe('linear probe', () => {
  test("the fitted probabilities are those of Newton's method, for weak and strong penalties", () => {
    const { values, labels } = clouds(40, 1);
    for (const penalty of [1e-3, 0.1, 3]) {
      const expected = newton(values, labels, penalty);
      scope(() => {
        const options = { classes: CLASSES, penalties: [penalty] };
        const probe = fitLinearProbe({ features: tensor(values), labels }, options);
        assert.ok(probe.converged);
        for (const [row, probabilities] of probe.predict(tensor(values)).entries()) {
          for (const [k, p] of probabilities.entries()) assert.ok(Math.abs(p - expected[row]![k]!) < 1e-4);
        }
      });
    }
  });

  test('scaling and shifting features, and another order of the videos, change nothing', () => {
    const { values, labels } = clouds(30, 2);
    const options = { classes: CLASSES, penalties: [0.05] };
    scope(() => {
      const before = fitLinearProbe({ features: tensor(values), labels }, options).predict(tensor(values));
      const moved = tensor(values.map((row) => row.map((value, k) => 3 * value - k)));
      const after = fitLinearProbe({ features: moved, labels }, options).predict(moved);
      const reversed = { features: tensor(values.toReversed()), labels: labels.toReversed() };
      const other = fitLinearProbe(reversed, options).predict(tensor(values));
      for (const [row, probabilities] of before.entries()) {
        for (const [k, p] of probabilities.entries()) {
          assert.ok(Math.abs(p - after[row]![k]!) < 1e-3 && Math.abs(p - other[row]![k]!) < 1e-4);
        }
      }
    });
  });

  test('validation prefers a strong penalty on noise and a weaker one on separable classes', () => {
    const random = randomStream(4, 'test');
    const labels = Array.from({ length: 45 }, (_, row) => row % CLASSES);
    const noise = labels.map(() => Array.from({ length: 20 }, () => random.normal()));
    const { values } = clouds(45, 5, 0.2);
    scope(() => {
      const onNoise = fitLinearProbe({ features: tensor(noise), labels }, { classes: CLASSES });
      const onClouds = fitLinearProbe({ features: tensor(values), labels }, { classes: CLASSES });
      assert.equal(onNoise.validation.folds, 5);
      assert.equal(onNoise.validation.losses.length, 7);
      assert.ok(onNoise.penalty >= 0.1, `noise: ${onNoise.penalty}`);
      assert.ok(onClouds.penalty <= 0.001, `clouds: ${onClouds.penalty}`);
      assert.deepEqual(onClouds.predict(tensor(values)).map(argmax), labels);
    });
  });

  test('one label a class is too few to validate: the default penalty, and it says so', () => {
    scope(() => {
      const probe = fitLinearProbe({ features: tensor([[0], [1], [2]]), labels: [0, 1, 2] }, { classes: CLASSES });
      assert.deepEqual([probe.penalty, probe.validation], [0.01, { folds: 0, losses: [] }]);
      const features = tensor([[0], [1]]);
      assert.throws(() => fitLinearProbe({ features, labels: [1, 1] }, { classes: 2 }), { code: 'one-class' });
    });
  });
});

test('folds are stratified and keep groups together; the only group of a class is never held out', () => {
  const labels = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2];
  const groups = ['a', 'a', 'b', 'b', 'c', 'c', undefined, undefined, undefined, 'd'];
  const folds = validationFolds({ labels, groups }, 3, 1);
  for (const [row, group] of groups.entries()) {
    if (group !== undefined) assert.equal(folds[row], folds[groups.indexOf(group)]);
  }
  assert.deepEqual(new Set(folds.slice(0, 6)), new Set([0, 1, 2]));
  assert.deepEqual(new Set(folds.slice(6, 9)), new Set([0, 1, 2]));
  assert.equal(folds[9], -1);
});

test('L-BFGS finds the minimum of ill-conditioned quadratics', () => {
  const scales = [1, 10, 1000, 0.1];
  const { point, converged } = minimise(
    (x) => ({
      value: x.reduce((sum, value, k) => sum + 0.5 * scales[k]! * (value - k) ** 2, 0),
      gradient: x.map((value, k) => scales[k]! * (value - k)),
    }),
    new Float64Array(4),
    { tolerance: 1e-8 },
  );
  assert.ok(converged);
  for (const [k, value] of point.entries()) assert.ok(Math.abs(value - k) < 1e-6);
});
