import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashNumbers } from './hash-fill.js';

test('the hash rule gives the check values published with the golden files', () => {
  assert.deepEqual([...hashNumbers('clip', 5, 3)], [0.8902084827423096, 0.8821858167648315, 0.9642857313156128]);
});
