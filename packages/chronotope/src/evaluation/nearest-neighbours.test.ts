import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scope, tensor } from '@chronotope/torch';
import { randomStream } from '../random.js';
import { assertClose, readGolden } from '../testing/golden.js';
import { centroidScores, knnScores, nearestNeighbours } from './nearest-neighbours.js';
import { argmax } from './video-level.js';

interface KnnGolden {
  classes: number;
  training: { features: number[]; labels: number[]; width: number };
  test: { features: number[]; labels: number[] };
  results: { k: number; T: number; top1: number; first5_class_scores: number[]; predictions?: number[] }[];
}

function randomRows(rows: number, width: number, seed: number): number[][] {
  const random = randomStream(seed, 'test');
  return Array.from({ length: rows }, () => Array.from({ length: width }, () => random.normal()));
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, k) => sum + value * y[k]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

test("SVT's weighted k-NN: class scores up to their scale, and top-1, are the official ones", () => {
  const golden = readGolden<KnnGolden>('evaluation/knn.json');
  const { classes, training, test: queries } = golden;
  scope(() => {
    const matrix = (values: number[]) => tensor(values).reshape([-1, training.width]);
    const neighbours = nearestNeighbours(matrix(queries.features), matrix(training.features), 48);
    for (const { k, T: temperature, top1, first5_class_scores: expected, predictions } of golden.results) {
      const scores = knnScores(neighbours, training.labels, { k, classes, temperature });
      const predicted = scores.map(argmax);
      if (predictions) assert.deepEqual(predicted, predictions);
      const right = predicted.filter((label, query) => label === queries.labels[query]).length;
      assert.equal((100 * right) / predicted.length, top1, `k = ${k}, T = ${temperature}`);
      for (let query = 0; query < 5; query++) {
        const official = expected.slice(query * classes, (query + 1) * classes);
        const sum = official.reduce((total, score) => total + score, 0);
        assertClose(
          tensor(scores[query]!),
          official.map((score) => score / sum),
          { absolute: 1e-4 },
        );
      }
    }
  });
});

test('neighbours of 600 random queries, more than a block, are those of a plain sort', () => {
  const [queries, gallery] = [randomRows(600, 5, 1), randomRows(40, 5, 2)];
  scope(() => {
    const found = nearestNeighbours(tensor(queries), tensor(gallery), 3);
    for (const [query, row] of queries.entries()) {
      const sorted = gallery.map((item, index) => ({ index, cosine: cosine(row, item) }));
      sorted.sort((a, b) => b.cosine - a.cosine);
      for (let rank = 0; rank < 3; rank++) {
        assert.equal(found.indices[3 * query + rank], sorted[rank]!.index);
        assert.ok(Math.abs(found.similarities[3 * query + rank]! - sorted[rank]!.cosine) < 1e-5);
      }
    }
    assert.throws(() => nearestNeighbours(tensor(queries), tensor(gallery), 41), RangeError);
  });
});

test('votes: weights are exp(cosine / T); a tiny temperature listens to the nearest alone and does not overflow', () => {
  const neighbours = {
    k: 3,
    indices: Int32Array.of(0, 1, 2),
    similarities: Float32Array.of(0.9, 0.8, 0.7),
  };
  const [scores] = knnScores(neighbours, [0, 1, 1], { k: 3, classes: 2, temperature: 0.1 });
  const weights = [0.9, 0.8, 0.7].map((similarity) => Math.exp(similarity / 0.1));
  assert.ok(Math.abs(scores![0]! - weights[0]! / (weights[0]! + weights[1]! + weights[2]!)) < 1e-5);
  assert.deepEqual([...knnScores(neighbours, [0, 1, 1], { k: 3, classes: 2, temperature: 1e-6 })[0]!], [1, 0]);
  assert.deepEqual([...knnScores(neighbours, [0, 1, 1], { k: 1, classes: 2 })[0]!], [1, 0]);
});

test('nearest centroid: cosines with the mean of unit features; lengths do not matter, an empty class is never chosen', () => {
  const gallery = randomRows(12, 4, 3);
  const labels = gallery.map((_, item) => (item % 2 === 0 ? 0 : 2));
  const queries = randomRows(5, 4, 4);
  scope(() => {
    const scores = centroidScores(tensor(queries), tensor(gallery), labels, 3);
    const centroid = (label: number) => {
      const units = gallery
        .filter((_, item) => labels[item] === label)
        .map((row) => row.map((value) => value / Math.hypot(...row)));
      return units[0]!.map((_, k) => units.reduce((sum, row) => sum + row[k]!, 0));
    };
    for (const [query, row] of queries.entries()) {
      assertClose(tensor(scores[query]!), [cosine(row, centroid(0)), -1, cosine(row, centroid(2))], { absolute: 1e-5 });
    }
    const scaled = centroidScores(
      tensor(queries).mul(7),
      tensor(gallery.map((row, item) => row.map((value) => value * (1 + item)))),
      labels,
      3,
    );
    for (const [query, row] of scaled.entries()) assertClose(tensor(row), [...scores[query]!], { absolute: 1e-5 });
  });
});
