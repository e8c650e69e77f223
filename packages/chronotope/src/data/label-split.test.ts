import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classes, entries, labelledIds } from '../testing/labelled-entries.js';
import { drawLabels, requireLabelInEveryClass } from './label-split.js';

test('draws the same number in every class, drops no video and leaves the test part alone', () => {
  const result = drawLabels(entries, { perClass: 5, seed: 3 });
  assert.deepEqual(
    result.map(({ id }) => id),
    entries.map(({ id }) => id),
  );
  for (const name of classes) {
    assert.equal(result.filter((one) => one.split === 'train' && one.label === name).length, 5);
    assert.equal(result.filter((one) => one.split === 'test' && one.label === name).length, 1);
  }
});

test('a smaller budget is part of a larger one', () => {
  const five = new Set(labelledIds(drawLabels(entries, { perClass: 5, seed: 3, draw: 1 })));
  const two = labelledIds(drawLabels(entries, { perClass: 2, seed: 3, draw: 1 }));
  assert.equal(two.length, 6);
  assert.ok(two.every((id) => five.has(id)));
});

test('seed and draw decide, the order of the entries does not', () => {
  const first = labelledIds(drawLabels(entries, { perClass: 2, seed: 3 }));
  assert.deepEqual(labelledIds(drawLabels([...entries].reverse(), { perClass: 2, seed: 3 })).sort(), [...first].sort());
  assert.notDeepEqual(labelledIds(drawLabels(entries, { perClass: 2, seed: 4 })), first);
  assert.notDeepEqual(labelledIds(drawLabels(entries, { perClass: 2, seed: 3, draw: 1 })), first);
});

test('more labels than a class has is an error with both numbers', () => {
  assert.throws(() => drawLabels(entries, { perClass: 13, seed: 0 }), {
    code: 'too-few-labels',
    message: /"jump" has 12 .* 13 were asked for/,
  });
  assert.throws(() => drawLabels(entries, { perClass: 0, seed: 0 }), { code: 'bad-label-budget' });
});

test('a class without a label is named', () => {
  assert.doesNotThrow(() => requireLabelInEveryClass(entries, classes));
  const without = entries.filter(({ id }) => !id.startsWith('jump/'));
  assert.throws(() => requireLabelInEveryClass(without, classes), { code: 'class-without-labels', message: /"jump"/ });
});
