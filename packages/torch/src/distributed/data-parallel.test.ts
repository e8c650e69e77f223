import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { manualSeed, nn } from '../index.js';
import { assertCloseValues } from '../testing/golden.js';
import { launch } from './launch.js';
import type { DataParallelResults } from './testing/data-parallel.js';
import { classifier, SAMPLES, stateOf, train } from './testing/models.js';
import { resultsOfRanks } from './testing/ranks.js';

let results: DataParallelResults[];

before(async () => {
  results = await resultsOfRanks<DataParallelResults>(2, './data-parallel.js');
});

function assertSameState(actual: Record<string, number[]>, expected: Record<string, number[]>): void {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  for (const [key, values] of Object.entries(expected)) assertCloseValues(actual[key]!, values, key, 2e-5);
}

/** The state of a classifier that one process has trained on all samples. */
function trainedAlone(normalized: boolean): Record<string, number[]> {
  const model = classifier(normalized);
  train(model, { from: 0, count: SAMPLES });
  return stateOf(model);
}

test('two ranks with half the batch do what one process does with the batch, in many buckets or in one', () => {
  const alone = trainedAlone(false);
  for (const { trained, trainedInOneBucket } of results) {
    assertSameState(trained, alone);
    assertSameState(trainedInOneBucket, alone);
  }
});

test('with synchronised batch normalisation too, up to the running statistics', () => {
  const alone = trainedAlone(true);
  for (const { trainedNormalized } of results) assertSameState(trainedNormalized, alone);
});

test('converting to synchronised batch normalisation keeps keys and values', () => {
  for (const { converted } of results) assert.deepEqual(converted, stateOf(classifier(true)));
});

test('synchronised batch normalisation counts in 32 bits what is given in 16', () => {
  for (const { halfDifference } of results) assert.ok(halfDifference < 0.01, String(halfDifference));
});

test('all ranks start with rank 0’s parameters', () => {
  manualSeed(0);
  const expected = new nn.Linear(2, 2).weight.toArray();
  for (const { startingWeights } of results) assert.deepEqual(startingWeights, expected);
});

test('noSync adds up gradients on each rank; the next backward pass averages the sums', () => {
  assert.deepEqual(
    results.map(({ withoutSync }) => withoutSync),
    [[1], [10]],
  );
  // ((1 + 2) + (10 + 20)) / 2
  for (const { accumulated } of results) assert.deepEqual(accumulated, [16.5]);
});

test('a parameter without a gradient is an error that names it, and the next pass works', () => {
  assert.match(results[0]!.unusedError, /^rank 0 of 2 \(127\.0\.0\.1:\d+\): no gradient for neither, one$/);
  assert.match(results[1]!.unusedError, /^rank 1 of 2 \(127\.0\.0\.1:\d+\): no gradient for neither, zero$/);
  for (const { afterError } of results) assert.deepEqual(afterError, [1, 1, 1]);
});

test('with findUnusedParameters a rank that does not use a parameter counts as zero', () => {
  for (const { branches } of results) assert.deepEqual(branches, { zero: 1, one: 2, neither: null });
});

test('ranks with different modules are told the first difference', () => {
  for (const { differentModules } of results) {
    assert.match(
      differentModules,
      /the ranks' modules or options differ: rank 0 has 0\.weight float32 \[2,2\], rank 1 0\.weight float32 \[3,2\]/,
    );
  }
});

test('a module without anything to train is refused', () => {
  for (const { frozen } of results) assert.equal(frozen, 'nothing in Linear requires a gradient');
});

test('running statistics are rank 0’s at every forward pass', () => {
  // Rank 0 sees zeros; rank 1 sees ones, of which a tenth enters once after each copy.
  assertCloseValues([results[0]!.buffers as number], [0], 'running mean of rank 0');
  assertCloseValues([results[1]!.buffers as number], [0.1], 'running mean of rank 1');
});

test('steps leave no tensors behind', () => {
  for (const { leaked } of results) assert.equal(leaked, 0);
});

test('the example of docs/distributed.md prints the same losses from one process and from two', async () => {
  const example = fileURLToPath(new URL('../../../../examples/distributed/train.mjs', import.meta.url));
  const [alone, together] = await Promise.all([1, 2].map((processes) => linesOf(processes, example)));
  assert.equal(alone!.length, 5);
  assert.deepEqual(alone, together);
});

async function linesOf(processes: number, program: string): Promise<string[]> {
  const lines: string[] = [];
  const code = await launch({
    processes,
    command: [process.execPath, program],
    onLine: (_, _rank, line) => lines.push(line),
    onEvent: (message) => lines.push(message),
  });
  assert.equal(code, 0, lines.join('\n'));
  return lines;
}
