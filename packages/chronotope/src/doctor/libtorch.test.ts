import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeBlas,
  describeCuda,
  describeDistributed,
  describeOneDnn,
  describeThreads,
  examineLibtorch,
} from './libtorch.js';

test('libtorch is found with its version and its folder', () => {
  const findings = examineLibtorch();
  const [libtorch, blas, , threads] = findings;
  assert.equal(libtorch?.status, 'ok');
  assert.match(libtorch?.detail ?? '', /^\d+\.\d+\.\d+\S* \(.*libtorch_cpu/);
  assert.equal(blas?.name, 'BLAS');
  assert.match(threads?.detail ?? '', /^\d+ for \d+ core/);
  const names = findings.map(({ name }) => name);
  assert.deepEqual(names, ['libtorch', 'BLAS', 'oneDNN', 'Threads', 'CUDA', 'Distributed']);
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

test('oneDNN: its release and instructions, and a warning without it', () => {
  const debian = 'Intel(R) MKL-DNN v2.6.3 (Git Hash N/A)\n  - CPU capability usage: AVX2\n  USE_MKLDNN=ON, USE_MPI=OFF';
  assert.deepEqual(describeOneDnn(debian), { name: 'oneDNN', status: 'ok', detail: '2.6.3, AVX2' });
  assert.equal(describeOneDnn('CPU capability usage: NO AVX\n USE_MKLDNN=OFF').status, 'warning');
});

test('no CUDA is well without a driver, and a warning with one', () => {
  const none = { torch: '2.6.0', cuda: false, cudaDevices: 0 };
  assert.equal(describeCuda(none, '', false).status, 'ok');
  assert.match(describeCuda(none, '', true).fix ?? '', /pip install torch/);
  assert.match(describeCuda(none, 'CUDA Runtime 12.4', true).fix ?? '', /nvidia-smi/);
  const two = describeCuda({ ...none, cuda: true, cudaDevices: 2 }, 'CUDA Runtime 12.4', true);
  assert.deepEqual([two.status, two.detail], ['ok', '12.4, 2 device(s)']);
});

test('several processes need Gloo', () => {
  assert.equal(describeDistributed(['gloo', 'nccl']).detail, 'gloo, nccl');
  assert.match(describeDistributed([]).fix ?? '', /libgloo-dev/);
});
