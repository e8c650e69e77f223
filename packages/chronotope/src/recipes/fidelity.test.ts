import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FIDELITIES, FIDELITY_CHOICES, fidelityOverrides } from './fidelity.js';
import { loadRecipeOf } from './load.js';

const PUBLISHED = ['timebalance-ucf101', 'timebalance-hmdb51', 'timebalance-kinetics400'];

describe('the presets of the published settings', () => {
  for (const name of PUBLISHED) {
    test(`${name} follows the code, and either source can be asked for`, () => {
      const recipe = loadRecipeOf('timebalance', name);
      assert.deepEqual(loadRecipeOf('timebalance', name, fidelityOverrides('official-code')), recipe);
      const paper = loadRecipeOf('timebalance', name, fidelityOverrides('paper'));
      assert.equal(paper.pretrain.invariant.positives, 'different-time');
      assert.equal(paper.pretrain.distinctive.localLocalReduction, 'mean');
      assert.equal(paper.training.schedule.name, 'cosine');
      assert.equal(paper.student.labelledWeight, paper.student.unlabelledWeight);
    });

    test(`${name} differs from the others in how frames are stored, and in nothing else`, () => {
      const { frames: _, ...first } = loadRecipeOf('timebalance', PUBLISHED[0]!);
      const { frames, ...rest } = loadRecipeOf('timebalance', name);
      assert.deepEqual(rest, first);
      assert.ok(frames.shortSide >= 224);
    });
  }

  test('every difference is a setting with a value of each source', () => {
    for (const { key, values, why } of FIDELITY_CHOICES) {
      for (const fidelity of FIDELITIES) {
        assert.doesNotThrow(
          () => loadRecipeOf('timebalance', 'timebalance-small', [`${key}=${values[fidelity]}`]),
          key,
        );
      }
      assert.ok(why.length > 5);
    }
  });
});
