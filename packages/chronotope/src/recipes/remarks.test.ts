import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remarksOf } from './remarks.js';

test('remarks are found behind values and groups, through what settings share, and through what a recipe extends', () => {
  const published = remarksOf('timebalance-ucf101');
  assert.equal(published.get('student.labelledWeight'), 'code; paper: one weight for both, whose value is not known');
  assert.equal(published.get('pretrain.student.batch'), 'code');
  assert.match(published.get('student.augment')!, /^code, the same family, weaker/);
  assert.match(published.get('student.augment.erase')!, /^code: 40\.\.79 x 53\.\.105 pixels/);
  assert.equal(published.get('student.augment.crop'), '', 'written, but without a remark');
  assert.equal(published.get('student.teacherPair'), undefined, 'left at its default');
  assert.equal(published.get('student.batch'), 'code', 'merged from what the labelled trainings share');
  assert.ok([...published.keys()].every((key) => !key.startsWith('.')));

  const small = remarksOf('timebalance-small');
  assert.match(small.get('supervised.augment')!, /^the official augmentation of fine-tuning/, 'not what it merges');

  const best = remarksOf('timebalance-best');
  assert.match(best.get('student.teacherTemperature')!, /^ours \(after MixMatch\)/);
  assert.equal(best.get('student.augment'), small.get('student.augment'));
});
