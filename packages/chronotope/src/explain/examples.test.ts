import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scope, tensor } from '@chronotope/torch';
import { choosePredictions, chooseQueries } from './choose-examples.js';
import type { ClassifierResults } from './content.js';
import { otherNeighbours } from './neighbours.js';
import { classMeans, confusionCounts, rightShares, teacherOutcomes } from './tallies.js';

const classifier = (...draws: number[][][]): ClassifierResults => ({
  ...{ stage: 'student', title: 'student', role: 'student' },
  draws: draws.map((draw) => draw.map((row) => Float32Array.from(row))),
});
const videos = [0, 0, 1].map((truth, index) => ({ id: `v${index}`, truth }));

test('mistakes are compared with the truth, right answers with the runner-up; the most confident come first', () => {
  const results = classifier([
    [0.1, 0.7, 0.2],
    [0.6, 0.1, 0.3],
    [0.9, 0.05, 0.05],
  ]);
  const { mistakes, successes } = choosePredictions(results, videos, { mistakes: 9, successes: 9 });
  assert.deepEqual(
    mistakes.map(({ video, predicted, against }) => [video, predicted, against]),
    [
      [2, 0, 1],
      [0, 1, 0],
    ],
  );
  assert.deepEqual(
    successes.map(({ video, predicted, against }) => [video, predicted, against]),
    [[1, 0, 2]],
  );
});

test('one right answer a class is shown', () => {
  const results = classifier([
    [0.6, 0.4],
    [0.9, 0.1],
    [0.2, 0.8],
  ]);
  const { successes } = choosePredictions(results, videos, { mistakes: 9, successes: 9 });
  assert.deepEqual(
    successes.map(({ video }) => video),
    [1, 2],
  );
});

test('queries come from different classes', () => {
  assert.deepEqual(chooseQueries(videos, 5), [0, 2]);
  assert.deepEqual(chooseQueries(videos, 1), [0]);
});

test('neighbours are sorted by cosine, whatever the lengths, without the video itself', () => {
  const found = scope(() =>
    otherNeighbours(
      tensor([
        [1, 0],
        [0, 5],
        [10, 10],
        [-1, 0],
      ]),
      2,
    ),
  );
  assert.deepEqual(
    found[0]!.map(({ index }) => index),
    [2, 1],
  );
  assert.ok(Math.abs(found[0]![0]!.similarity - Math.SQRT1_2) < 1e-6);
  assert.ok(found.every((others, video) => others.length === 2 && others.every(({ index }) => index !== video)));
  assert.deepEqual(
    scope(() => otherNeighbours(tensor([[1, 2]]), 3)),
    [[]],
  );
});

test('tallies average over the label draws', () => {
  const first = [
    [1, 0],
    [1, 0],
    [1, 0],
  ];
  const second = [
    [1, 0],
    [0, 1],
    [0, 1],
  ];
  const both = classifier(first, second);
  assert.deepEqual(rightShares(both, { videos }), [1, 0.5, 0.5]);
  assert.deepEqual(classMeans([1, 0.5, 0.5], { videos }, ['a', 'b']), [0.75, 0.5]);
  assert.deepEqual(confusionCounts(both, { videos }, ['a', 'b']), [
    [3, 1],
    [1, 1],
  ]);
  const teachers = { invariant: classifier(first), distinctive: classifier(second) };
  assert.deepEqual(teacherOutcomes({ videos, teachers })[2], {
    onlyInvariant: 0,
    onlyDistinctive: 1,
    both: 0,
    neither: 0,
  });
});
