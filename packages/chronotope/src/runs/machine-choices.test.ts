import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { describeChoices } from './machine-choices.js';

test('every choice has its reason: what was asked for, or what the machine is', () => {
  const asked = { device: 'cpu', askedDevice: 'cpu', threads: 1, workers: 3, askedWorkers: 3 } as const;
  assert.deepEqual(describeChoices(asked), [
    'computing on cpu: --device',
    '1 thread of libtorch: training.threads',
    '3 threads beside it to make batches: --workers',
  ]);
  const [device, threads, workers] = describeChoices({ device: 'cpu', threads: null, workers: 1 });
  assert.match(device!, /^computing on cpu: (this libtorch is built without CUDA|libtorch sees no GPU)$/);
  assert.match(threads!, /^\d+ threads? of libtorch: its own choice/);
  assert.ok(workers!.includes(`of ${availableParallelism()} processor`), workers);
});

test('on a GPU batches are made there', () => {
  const [device, , batches] = describeChoices({ device: 'cuda:0', threads: null, workers: 1 });
  assert.match(device!, /^computing on cuda:0: libtorch sees \d+ GPU/);
  assert.equal(batches, 'batches are made on the GPU');
});
