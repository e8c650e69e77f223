import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory } from '@chronotope/torch';
import { testArithmeticSpeed, testTrainingSpeed } from './speed.js';

test('training: a rate, and no tensor is left behind', () => {
  const before = memory().liveTensors;
  const { status, detail, measured } = testTrainingSpeed();
  assert.equal(status, 'ok', detail);
  assert.match(detail, /^\d+ clips\/s/);
  assert.ok(measured!.clips_per_second! > 0);
  assert.equal(memory().liveTensors, before);
});

test('arithmetic: matrix product and convolution, with one thread and with all', async () => {
  const speeds = await testArithmeticSpeed(2);
  assert.deepEqual(
    speeds.map(({ name }) => name),
    ['Matrix product', '3D convolution'],
  );
  for (const { detail, measured } of speeds) {
    assert.match(detail, /^\d+ GFLOP\/s with 1 thread, \d+ GFLOP\/s with 2 threads$/);
    assert.deepEqual(Object.keys(measured!), ['gflops_1_threads', 'gflops_2_threads']);
    for (const value of Object.values(measured!)) assert.ok(value > 0);
  }
});
