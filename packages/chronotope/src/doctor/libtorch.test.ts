import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory } from '@chronotope/torch';
import { describeBlas, describeThreads, examineLibtorch, testTrainingSpeed } from './libtorch.js';

test('libtorch is found with its version and its folder', () => {
  const [libtorch, blas, threads] = examineLibtorch();
  assert.equal(libtorch?.status, 'ok');
  assert.match(libtorch?.detail ?? '', /^\d+\.\d+\.\d+.*libtorch_cpu/);
  assert.equal(blas?.name, 'BLAS');
  assert.match(threads?.detail ?? '', /^\d+ for \d+ core/);
});

test('the reference BLAS is a warning with the commands, any other is not', () => {
  const slow = describeBlas(['/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0'], 'BLAS_INFO=generic');
  assert.equal(slow.status, 'warning');
  assert.match(slow.fix ?? '', /libopenblas0-pthread\n.*update-alternatives/);

  const openBlas = describeBlas(['/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3'], 'BLAS_INFO=generic');
  assert.deepEqual([openBlas.status, openBlas.detail.split(' ')[0]], ['ok', 'OpenBLAS']);

  const wheel = describeBlas(['/venv/torch/lib/libtorch_cpu.so'], 'Build settings: BLAS_INFO=mkl, BUILD_TYPE=Release');
  assert.deepEqual([wheel.status, wheel.detail], ['ok', 'mkl, part of libtorch']);
});

test('one thread on several cores is a warning', () => {
  assert.equal(describeThreads(1, 8).status, 'warning');
  assert.equal(describeThreads(8, 8).status, 'ok');
  assert.equal(describeThreads(1, 1).status, 'ok');
});

test('the speed test measures a rate and leaves no tensor behind', () => {
  const before = memory().liveTensors;
  const { status, detail } = testTrainingSpeed();
  assert.equal(status, 'ok', detail);
  assert.ok(Number(/^(\d+) clips\/s/.exec(detail)?.[1]) > 0, detail);
  assert.equal(memory().liveTensors, before);
});
