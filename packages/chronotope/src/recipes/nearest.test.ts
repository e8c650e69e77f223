import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { didYouMean, nearest } from './nearest.js';

const keys = ['seed', 'inputSize', 'student.steps', 'teacher.steps', 'student.start', 'clips.localClips'];

test('one slip of each kind is forgiven: left out, put in, changed, swapped, capitals not', () => {
  for (const typed of ['inpuSize', 'inputtSize', 'inpotSize', 'inptuSize', 'inputsize']) {
    assert.deepEqual(nearest(typed, keys), ['inputSize'], typed);
  }
});

test('a word without a dot is looked for at the end of keys; only the nearest are given', () => {
  assert.deepEqual(nearest('steps', keys), ['student.steps', 'teacher.steps']);
  assert.deepEqual(nearest('localclip', keys), ['clips.localClips']);
  assert.deepEqual(nearest('student.stpes', keys), ['student.steps']);
});

test('where nothing is near, what begins so is given', () => {
  const long = [...keys, 'student.teacherTemperature'];
  assert.deepEqual(nearest('student.teacherTemp', long), ['student.teacherTemperature']);
  assert.deepEqual(nearest('teacherTemp', long), ['student.teacherTemperature']);
  assert.deepEqual(nearest('te', long), []);
});

test('nothing is suggested for what is like nothing', () => {
  assert.equal(didYouMean('photograph', keys), undefined);
  assert.equal(didYouMean('x', []), undefined);
  assert.equal(didYouMean('sed', keys), 'did you mean seed?');
});

test('a word that is there is always nearest to itself', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 }), (words) => {
      for (const word of words) assert.deepEqual(nearest(word, words), [word]);
    }),
  );
});
