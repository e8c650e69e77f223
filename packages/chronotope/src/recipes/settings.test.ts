import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { formatRecipe, loadRecipe, shippedRecipes } from './load.js';
import { METHOD_NAMES } from './schemas.js';
import { allSettings, explainSetting } from './settings.js';

test('every setting and every group has a meaning', () => {
  const without = METHOD_NAMES.flatMap(allSettings).filter(({ description }) => description === '');
  assert.deepEqual(
    without.map(({ key }) => key),
    [],
  );
});

test('every key of every shipped recipe is listed, and the keys are different', () => {
  const keysOf = (node: unknown, prefix = ''): string[] =>
    typeof node !== 'object' || node === null || Array.isArray(node)
      ? []
      : Object.entries(node).flatMap(([name, value]) => [prefix + name, ...keysOf(value, `${prefix}${name}.`)]);
  for (const name of shippedRecipes()) {
    const recipe = loadRecipe(name);
    const keys = allSettings(recipe.method).map(({ key }) => key);
    assert.equal(new Set(keys).size, keys.length);
    for (const key of keysOf(parse(formatRecipe(recipe)))) assert.ok(keys.includes(key), key);
  }
});

test('values are said in words', () => {
  const values = (key: string) => explainSetting(key, 'timebalance')[0]?.values;
  assert.equal(values('clips.frames'), 'whole number, 2 or more');
  assert.equal(values('clips.fps'), 'number above 0, or null; null if not given');
  assert.equal(values('student.dropout'), 'number from 0 to 1');
  assert.equal(values('pretrain.student.positives'), 'all | different-time');
  assert.equal(values('teacher.augment.crop'), '[low, high]');
  assert.equal(values('model.widths'), 'a list: whole number, 1 or more');
  assert.equal(values('method'), 'timebalance');
});

test('a key is found by its last part where that is enough; a group comes with what it holds', () => {
  assert.equal(explainSetting('unlabelledBatch', 'timebalance')[0]?.key, 'student.unlabelledBatch');
  const [ofStudent] = explainSetting('students.sharp.student.teacherTemperature', 'timebalance');
  assert.equal(ofStudent!.values, 'number above 0');
  const group = explainSetting('evaluation', 'timebalance').map(({ key }) => key);
  assert.deepEqual(group, ['evaluation', 'evaluation.clips', 'evaluation.centreCrop']);
});

test('an unknown or ambiguous key names those that may be meant', () => {
  assert.throws(() => explainSetting('steps', 'timebalance'), {
    code: 'setting-unknown',
    hint: /several: .*student\.steps/,
  });
  assert.throws(() => explainSetting('centerCrop', 'timebalance'), { hint: 'Did you mean evaluation.centreCrop?' });
  assert.throws(() => explainSetting('photograph', 'timebalance'), { hint: /lists them all/ });
});
