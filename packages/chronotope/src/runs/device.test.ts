import assert from 'node:assert/strict';
import { test } from 'node:test';
import { version } from '@chronotope/torch';
import { chosenDevice } from './device.js';

const { cudaDevices } = version();

test('the CPU can always be chosen', () => {
  assert.equal(chosenDevice('cpu'), 'cpu');
});

test('without a GPU the choice is the CPU, and asking for a GPU says what is missing', {
  skip: cudaDevices > 0,
}, () => {
  assert.equal(chosenDevice(), 'cpu');
  assert.throws(() => chosenDevice('cuda'), { code: 'no-gpu', hint: /doctor/ });
});

test('with GPUs each process of a machine has its own', { skip: cudaDevices === 0 }, (t) => {
  t.after(() => void delete process.env.LOCAL_RANK);
  assert.equal(chosenDevice(), 'cuda:0');
  process.env.LOCAL_RANK = String(cudaDevices + 1);
  assert.equal(chosenDevice(), `cuda:${1 % cudaDevices}`);
});
