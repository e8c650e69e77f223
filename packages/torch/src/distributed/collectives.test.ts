import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { CollectiveResults } from './testing/collectives.js';
import { resultsOfRanks } from './testing/ranks.js';

let results: CollectiveResults[];

before(async () => {
  results = await resultsOfRanks<CollectiveResults>(2, './collectives.js');
});

/** Every rank got this. */
function assertEverywhere(pick: (result: CollectiveResults) => unknown, expected: unknown): void {
  for (const result of results) assert.deepEqual(pick(result), expected);
}

test('ranks know their number and that of all', () => {
  assert.deepEqual(
    results.map(({ rank, size }) => [rank, size]),
    [
      [0, 2],
      [1, 2],
    ],
  );
  assertEverywhere((result) => result.afterDestroy, 1);
});

test('all-reduce combines in place, element by element', () => {
  assertEverywhere((result) => result.reductions, {
    sum: [3, -1],
    mean: [1.5, -0.5],
    min: [1, -1],
    max: [2, 0],
    meanAsync: [1.5, -0.5],
  });
});

test('all-reduce writes into strided views, and knows bfloat16 and integers', () => {
  assertEverywhere(
    (result) => result.strided,
    [
      [2, 2],
      [6, 4],
    ],
  );
  assertEverywhere((result) => result.bfloat16, [1.5, 4]);
  assertEverywhere((result) => result.integers, [1, 4]);
});

test('broadcast gives everyone the values of the source', () => {
  assertEverywhere((result) => result.broadcast, [2, -1]);
});

test('all-gather concatenates in the order of the ranks, whatever the dtype', () => {
  assertEverywhere(
    (result) => result.gathered,
    [
      [0, 7],
      [1, 7],
    ],
  );
  assertEverywhere((result) => result.gatheredScalars, [0, 10]);
  assertEverywhere((result) => result.gatheredBools, { dtype: 'bool', values: [0, 1, 1, 1] });
  assertEverywhere((result) => result.gatheredEmpty, [0, 3]);
});

test('reduce-scatter gives each rank its own rows of the result', () => {
  assert.deepEqual(
    results.map((result) => result.scattered),
    [
      [[2], [4]],
      [[6], [9]],
    ],
  );
  assert.deepEqual(
    results.map((result) => result.scatteredMean),
    [[0.5], [5]],
  );
});

test('objects of different lengths arrive whole', () => {
  assertEverywhere(
    (result) => result.objects,
    [
      { rank: 0, text: '' },
      { rank: 1, text: 'é' },
    ],
  );
});

test('the gradient through an all-gather is that of the sum of all ranks’ losses', () => {
  // loss of rank r = sum((r + 1)² (2x)²), so d(sum over r)/dx = 8 x (1 + 4)
  assert.deepEqual(
    results.map((result) => result.gradient),
    [[[0, 40]], [[40, 40]]],
  );
});

test('ranks that disagree are told on which calls, instead of an abort', () => {
  for (const { errors, rank } of results) {
    assert.match(
      errors.shapes!,
      new RegExp(
        `^rank ${rank} of 2: .*rank 0 calls all-reduce by sum of float32 \\[2,3\\], rank 1 all-reduce by sum of float32 \\[3,3\\]`,
      ),
    );
    assert.match(errors.shapes!, /drop the last incomplete batch/);
    assert.match(errors.order!, /rank 0 calls barrier, rank 1 all-gather of float32 \[2\]/);
  }
});

test('wrong use is refused with advice', () => {
  for (const { errors } of results) {
    assert.match(errors.noGroup!, /there is no process group \| await initProcessGroup\(\) first/);
    assert.match(errors.twice!, /there is a process group already/);
    assert.match(errors.reduceBool!, /bool tensors cannot be combined by 'sum' \| convert them/);
    assert.match(errors.meanOfIntegers!, /int64 tensors cannot be combined by 'mean'/);
    assert.match(errors.source!, /there is no rank 2: the group has 2/);
    assert.match(errors.uneven!, /cannot deal out \[3\] to 2 ranks/);
  }
});
