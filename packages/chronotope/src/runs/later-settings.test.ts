import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRecipe, loadRecipeOf, shippedRecipes } from '../recipes/load.js';
import { type TimeBalanceRecipe, timebalanceRecipe } from '../recipes/timebalance.js';
import { withoutLaterSettings } from './later-settings.js';

/** A recipe as the versions had it that did not know loss weights, given networks, balanced batches and optimisers. */
function asFirstVersions(recipe: TimeBalanceRecipe): object {
  const without = <T extends object>(group: T, ...names: (keyof T)[]) => {
    return Object.fromEntries(Object.entries(group).filter(([name]) => !(names as string[]).includes(name)));
  };
  const { pretrain, supervised, teacher, student, training } = recipe;
  return {
    ...recipe,
    pretrain: Object.fromEntries(
      Object.entries(pretrain).map(([name, stage]) => [name, without(stage, 'weights', 'from', 'fromChannels')]),
    ),
    training: without(training, 'optimizer'),
    supervised: without(supervised, 'balanced'),
    teacher: without(teacher, 'balanced'),
    student: without(student, 'balanced'),
  };
}

test('shipped recipes of TimeBalance are those of earlier versions, setting by setting in the same order', () => {
  for (const name of shippedRecipes('timebalance')) {
    const recipe = loadRecipeOf('timebalance', name);
    const earlier = asFirstVersions(recipe);
    assert.equal(JSON.stringify(withoutLaterSettings(recipe)), JSON.stringify(earlier), name);
    assert.deepEqual(timebalanceRecipe.parse(earlier), recipe, name);
  }
});

test('a setting that changes something stays', () => {
  const changes = [
    'pretrain.distinctive.weights.globalLocal=0',
    'pretrain.student.from=network.pth',
    'pretrain.student.fromChannels=bgr',
    'teacher.balanced=true',
    'training.optimizer.name=sgd',
  ];
  const plain = JSON.stringify(withoutLaterSettings(loadRecipe('timebalance-demo')));
  for (const change of changes) {
    assert.notEqual(JSON.stringify(withoutLaterSettings(loadRecipe('timebalance-demo', [change]))), plain, change);
  }
});

test('recipes of methods without such settings are as they are', () => {
  const recipe = loadRecipe('ccl-small');
  assert.deepEqual(withoutLaterSettings(recipe), recipe);
});
