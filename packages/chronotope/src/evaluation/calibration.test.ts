import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crossEntropyLoss, scope, tensor } from '@chronotope/torch';
import { randomStream } from '../random.js';
import { calibration } from './calibration.js';
import { argmax } from './video-level.js';

function randomPredictions(videos: number, classes: number, seed: number) {
  const random = randomStream(seed, 'test');
  const predictions = Array.from({ length: videos }, () => {
    const scores = Array.from({ length: classes }, () => Math.exp(random.normal(0, 2)));
    const sum = scores.reduce((total, score) => total + score, 0);
    return { probabilities: Float32Array.from(scores, (score) => score / sum) };
  });
  return { predictions, truth: predictions.map(() => random.int(classes)) };
}

test('closed forms: certain and right is 0 everywhere, certain and wrong is 1, 2 and very much', () => {
  const sure = [{ probabilities: Float32Array.of(1, 0) }];
  const right = calibration(sure, [0]);
  assert.deepEqual([right.ece, right.brier, right.nll], [0, 0, 0]);
  const wrong = calibration(sure, [1]);
  assert.deepEqual([wrong.ece, wrong.brier], [1, 2]);
  assert.equal(wrong.nll.toFixed(6), (12 * Math.LN10).toFixed(6));
});

test('a coin that is called a coin is calibrated: confidence 1/2, right half of the time', () => {
  const coin = { probabilities: Float32Array.of(0.5, 0.5) };
  const { ece, brier, nll, bins } = calibration([coin, coin], [0, 1], { bins: 2 });
  assert.equal(ece, 0);
  assert.equal(brier, 0.5);
  assert.ok(Math.abs(nll - Math.LN2) < 1e-12);
  assert.deepEqual(
    bins.map(({ videos }) => videos),
    [2, 0],
    'a bin holds its upper end',
  );
  assert.equal(bins[0]!.accuracy, 0.5);
});

test('ECE over random predictions is what a bin-by-bin count gives', () => {
  for (const seed of [1, 2, 3]) {
    const { predictions, truth } = randomPredictions(150, 4, seed);
    const bins = 10;
    let expected = 0;
    for (let bin = 0; bin < bins; bin++) {
      const inBin = [...predictions.keys()].filter((video) => {
        const confidence = Math.max(...predictions[video]!.probabilities);
        return confidence > bin / bins && confidence <= (bin + 1) / bins;
      });
      if (inBin.length === 0) continue;
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      const accuracy = mean(inBin.map((video) => (argmax(predictions[video]!.probabilities) === truth[video] ? 1 : 0)));
      const confidence = mean(inBin.map((video) => Math.max(...predictions[video]!.probabilities)));
      expected += (inBin.length / predictions.length) * Math.abs(accuracy - confidence);
    }
    assert.ok(Math.abs(calibration(predictions, truth, { bins }).ece - expected) < 1e-9);
  }
});

test('NLL is the cross-entropy of the log probabilities; nothing depends on the order of the videos', () => {
  const { predictions, truth } = randomPredictions(60, 5, 9);
  const measured = calibration(predictions, truth);
  scope(() => {
    const rows = predictions.map(({ probabilities }) => Array.from(probabilities));
    const expected = crossEntropyLoss(tensor(rows).log(), tensor(BigInt64Array.from(truth, BigInt))).item();
    assert.ok(Math.abs(measured.nll - expected) < 1e-5);
  });
  const backwards = calibration(predictions.toReversed(), truth.toReversed());
  for (const key of ['ece', 'brier', 'nll'] as const) assert.ok(Math.abs(backwards[key] - measured[key]) < 1e-9, key);
});
