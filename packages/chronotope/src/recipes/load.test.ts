import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { formatRecipe, loadRecipe, shippedRecipes } from './load.js';
import { timebalanceRecipe } from './timebalance.js';

describe('recipes', () => {
  for (const name of shippedRecipes()) {
    test(`${name} is valid and survives being written and read`, () => {
      const recipe = loadRecipe(name);
      assert.deepEqual(timebalanceRecipe.parse(parse(formatRecipe(recipe))), recipe);
    });
  }

  test('an override changes its own setting and no other that shares an anchor', () => {
    const recipe = loadRecipe('timebalance-demo', ['student.augment.flip=0.5', 'student.steps=7']);
    assert.equal(recipe.student.augment.flip, 0.5);
    assert.equal(recipe.student.steps, 7);
    assert.equal(recipe.teacher.augment.flip, 0);
  });

  test('unknown keys, wrong values and missing files are named', () => {
    assert.throws(() => loadRecipe('timebalance-demo', ['student.stepz=7']), { code: 'override-invalid' });
    assert.throws(() => loadRecipe('timebalance-demo', ['student.steps=many']), /student\.steps/);
    assert.throws(() => loadRecipe('timebalance-demo', ['clips.globalStride=5']), /clips\.globalStride.*localClips/);
    assert.throws(() => loadRecipe('no-such.yaml'), { code: 'recipe-missing' });
  });
});
