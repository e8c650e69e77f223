import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLAIN_TRAINING } from '../training/settings.js';
import { trainingSettings } from './training.js';

test('a recipe that says nothing of its training has everything off', () => {
  const { validation, ...others } = trainingSettings.parse(undefined);
  const { share, ...measured } = validation;
  assert.deepEqual({ ...others, validation: measured }, PLAIN_TRAINING);
  assert.equal(share, 0.2);
});

test('one setting can be given without the others of its group', () => {
  const settings = trainingSettings.parse({ ema: { decay: 0.99 } });
  assert.deepEqual(settings.ema, { decay: 0.99, result: 'average' });
  assert.equal(trainingSettings.safeParse({ emma: {} }).success, false);
});
