import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scope, softmax, tensor } from '@chronotope/torch';
import { assertClose, type Nested, readGolden } from '../testing/golden.js';
import { accuracy, argmax, meanOverClips, rightAt, topClasses, videoProbabilities } from './video-level.js';

interface EvaluationCase {
  classes: number;
  video_names: string[];
  labels: number[];
  logits: Nested;
  video_probability: Nested;
  video_prediction: number[];
  video_top1: number;
}

describe('video-level evaluation', () => {
  for (const [index, c] of readGolden<{ cases: EvaluationCase[] }>('evaluation/video_eval.json').cases.entries()) {
    test(`official averaging, arg-max and top-1, case ${index}`, () =>
      scope(() => {
        // The golden file has clips first; a video's clips lie side by side here.
        const logits = tensor(c.logits).permute([1, 0, 2]);
        const probabilities = meanOverClips(
          softmax(logits.flatten({ startDim: 0, endDim: 1 }), 1),
          c.video_names.length,
        );
        assertClose(probabilities, c.video_probability, { relative: 1e-6 });

        const rows = probabilities.toArray() as number[][];
        assert.deepEqual(rows.map(argmax), c.video_prediction);
        const predictions = rows.map((row, k) => ({ id: c.video_names[k]!, probabilities: Float32Array.from(row) }));
        const truth = new Map(c.video_names.map((name, k) => [name, c.labels[k]!]));
        const names = Array.from({ length: c.classes }, (_, k) => `class ${k}`);
        assert.equal(accuracy(predictions, truth, names).top1, c.video_top1);
      }));
  }

  test('accuracy per class and confusion count videos', () => {
    const prediction = (id: string, ...probabilities: number[]) => ({
      id,
      probabilities: Float32Array.from(probabilities),
    });
    const predictions = [prediction('a', 0.9, 0.1), prediction('b', 0.8, 0.2), prediction('c', 0.3, 0.7)];
    const truth = new Map([
      ['a', 0],
      ['b', 1],
      ['c', 1],
    ]);
    const result = accuracy(predictions, truth, ['x', 'y']);
    assert.deepEqual(result.confusion, [
      [1, 0],
      [1, 1],
    ]);
    assert.deepEqual(
      result.perClass.map(({ top1 }) => top1),
      [1, 0.5],
    );
    assert.equal(result.top1, 2 / 3);
    assert.throws(() => accuracy(predictions, new Map(), ['x', 'y']), /no true class is known.*a/);
  });

  test("SVT's top-1 and top-5", () => {
    const golden = readGolden<{ classes: number; logits: number[]; labels: number[]; top1: number; top5: number }>(
      'evaluation/topk_accuracy.json',
    );
    const { classes, logits, labels } = golden;
    const rows = labels.map((_, row) => ({
      probabilities: Float32Array.from(logits.slice(row * classes, (row + 1) * classes)),
    }));
    const share = (k: number) => (100 * rightAt(rows, labels, k).filter(Boolean).length) / labels.length;
    assert.deepEqual([share(1), share(5), share(classes)], [golden.top1, golden.top5, 100]);
  });

  test('averaging logits is a softmax of their mean; with one clip both averages are the same', () =>
    scope(() => {
      const logits = tensor([
        [4, 0],
        [-2, 0],
      ]);
      assertClose(videoProbabilities(logits, 1, 'logits'), [[1 / (1 + Math.exp(-1)), 1 / (1 + Math.exp(1))]]);
      const mean = (1 / (1 + Math.exp(-4)) + 1 / (1 + Math.exp(2))) / 2;
      assertClose(videoProbabilities(logits, 1, 'probabilities'), [[mean, 1 - mean]]);
      assertClose(
        videoProbabilities(logits, 2, 'logits'),
        videoProbabilities(logits, 2, 'probabilities').toArray() as Nested,
      );
    }));

  test('of equally probable classes the first counts as predicted, in top-k as in arg-max', () => {
    const tied = [{ probabilities: Float32Array.of(0.5, 0.5) }];
    assert.deepEqual([rightAt(tied, [0], 1), rightAt(tied, [1], 1), rightAt(tied, [1], 2)], [[1], [0], [1]]);
  });

  test('the most probable classes come first', () => {
    assert.deepEqual(topClasses([0.25, 0.5, 0.25], ['x', 'y', 'z'], 2), [
      { name: 'y', confidence: 0.5 },
      { name: 'x', confidence: 0.25 },
    ]);
  });
});
