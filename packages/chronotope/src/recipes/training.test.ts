import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLAIN_TRAINING } from '../training/settings.js';
import { loadRecipe } from './load.js';
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

for (const [method, recipe] of [
  ['ccl', 'ccl-small'],
  ['frames', 'frames-small'],
] as const) {
  test(`${method} takes the shared settings that it has a use for, and says what to use in place of the others`, () => {
    const overrides = [
      'training.amp=bfloat16',
      'training.accumulate=2',
      'training.clipGradients=1',
      'training.threads=1',
    ];
    const { training } = loadRecipe(recipe, overrides) as { training: Record<string, unknown> };
    assert.deepEqual(
      [training.amp, training.accumulate, training.clipGradients, training.threads],
      ['bfloat16', 2, 1, 1],
    );
    assert.throws(() => loadRecipe(recipe, ['training.schedule.name=step']), {
      code: 'override-invalid',
      hint: /milestones/,
    });
    assert.throws(() => loadRecipe(recipe, ['training={schedule: {name: step}}']), {
      code: 'recipe-invalid',
      message: /no setting "schedule"; \S+ and \S+ say how the learning rate falls/,
    });
  });
}

test('the momentum encoder of CCL is its average, and there is nothing to validate on', () => {
  assert.throws(() => loadRecipe('ccl-small', ['training.ema.decay=0.9']), { hint: /keyMomentum/ });
  assert.throws(() => loadRecipe('ccl-small', ['training.validation.every=5']), { hint: /training\.checkpoints/ });
});
