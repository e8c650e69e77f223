import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nn, noGrad, scope, tensor } from '@chronotope/torch';
import { randomStream } from '../random.js';
import { readGolden } from '../testing/golden.js';
import { type GoldenTensor, goldenTensor } from '../testing/golden-tensors.js';
import { fitSgdProbe, trainLinear } from './sgd-probe.js';
import { argmax } from './video-level.js';

interface Golden {
  optimizer: { lr: number; epochs: number };
  init: Record<'linear.weight' | 'linear.bias', GoldenTensor>;
  steps: { epoch: number; features: GoldenTensor; labels: GoldenTensor; weights_after: Golden['init'] }[];
}

test("the steps are those of SVT's code, with its schedule", () => {
  const { optimizer, init, steps } = readGolden<Golden>('evaluation/sgd_probe.json');
  scope(() => {
    const [classes, width] = init['linear.weight'].shape as [number, number];
    const layer = new nn.Linear(width, classes);
    noGrad(() => {
      layer.weight.copy_(goldenTensor(init['linear.weight']));
      layer.bias!.copy_(goldenTensor(init['linear.bias']));
    });
    const { lr: learningRate, epochs } = optimizer;
    const batches = (wanted: number) =>
      steps
        .filter(({ epoch }) => epoch === wanted)
        .map(({ features, labels }) => ({ features: goldenTensor(features), labels: goldenTensor(labels) }));
    trainLinear(layer, batches, { learningRate, epochs });
    const expected = steps.at(-1)!.weights_after;
    for (const [actual, golden] of [
      [layer.weight, expected['linear.weight']],
      [layer.bias!, expected['linear.bias']],
    ] as const) {
      assert.ok(actual.sub(goldenTensor(golden)).abs().max().item() < 2e-6);
    }
  });
});

/** Two clouds of points that a line separates, `scale` times as large. */
function clouds(scale: number): { values: number[][]; labels: number[] } {
  const random = randomStream(4, 'clouds');
  const labels = Array.from({ length: 60 }, (_, row) => row % 2);
  return {
    labels,
    values: labels.map((label) => [scale * random.normal(label === 0 ? 2 : -2), scale * random.normal()]),
  };
}

test('the learning rate follows the size of the features, and the same seed gives the same probe', () => {
  const rates = [0.01, 10].map((scale) => {
    const { values, labels } = clouds(scale);
    return scope(() => {
      const training = { features: tensor(values), labels };
      const [probe, again] = [0, 0].map((seed) => fitSgdProbe(training, { classes: 2, epochs: 20, seed }));
      const found = probe!.predict(training.features);
      assert.deepEqual(found, again!.predict(training.features));
      const right = found.filter((probabilities, row) => argmax(probabilities) === labels[row]).length;
      assert.ok(right >= 56, `${right} of 60`);
      return probe!.learningRate;
    });
  });
  assert.ok(rates[0]! > rates[1]!, `${rates}`);
});

test('one class is refused; a single video of each class has nothing to be held out', () => {
  scope(() => {
    const features = tensor([
      [1, 0],
      [0, 1],
    ]);
    assert.throws(() => fitSgdProbe({ features, labels: [1, 1] }, { classes: 2 }), { code: 'one-class' });
    const probe = fitSgdProbe({ features, labels: [0, 1] }, { classes: 2, epochs: 5 });
    assert.deepEqual([probe.validation, probe.learningRate], [[], 0.1]);
  });
});
