import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eye, full, scope, type Tensor, zeros } from '@chronotope/torch';
import { tinyLss, tinySvt } from '../../testing/tiny-lss.js';
import { collapseIn, outputSigns } from './collapse.js';
import { collapseOf, newSelfDistillation } from './pipeline.js';

const OUTPUTS = 6;

function judge(probabilities: Tensor): string | null {
  const { entropy, information, used } = outputSigns(probabilities);
  const signs = { entropy: entropy.item(), information: information.item(), used: used.item() };
  return collapseIn(signs, { outputs: OUTPUTS, videos: OUTPUTS });
}

test('a teacher that tells videos apart has not collapsed', () => {
  scope(() => {
    const { information, used } = outputSigns(eye(OUTPUTS));
    assert.ok(Math.abs(information.item() - Math.log(OUTPUTS)) < 1e-5);
    assert.ok(Math.abs(used.item() - OUTPUTS) < 1e-3);
    assert.equal(judge(eye(OUTPUTS)), null);
    assert.equal(judge(eye(OUTPUTS).mul(0.4).add(0.1)), null);
  });
});

test('one output for all videos, or all outputs alike in each, is collapse, and said to be which', () => {
  scope(() => {
    const one = zeros([OUTPUTS, OUTPUTS]);
    one.select(1, 2).fill_(1);
    assert.match(judge(one)!, /the same of every video \(1\.0 of 6 outputs in use\): use the uniform prior/);
    assert.match(judge(full([OUTPUTS, OUTPUTS], 1 / OUTPUTS))!, /all 6 outputs alike .* lower teacher temperature/);
  });
});

test('the last metrics of a run are judged for each of its spaces', () => {
  scope(() => {
    const metrics = { categoryEntropy: 0, categoryInformation: 0, categoryUsed: 1 };
    const fine = { descriptionEntropy: 0.2, descriptionInformation: 1, descriptionUsed: 4 };
    const lss = newSelfDistillation(tinyLss(), null);
    const warnings = collapseOf(lss, tinyLss(), { metrics: { ...metrics, ...fine } });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /^category: the teacher says the same/);
    assert.deepEqual(collapseOf(lss, tinyLss(), undefined), []);
    const svt = newSelfDistillation(tinySvt(), null);
    const output = { outputEntropy: 0, outputInformation: 0, outputUsed: 1 };
    assert.equal(collapseOf(svt, tinySvt(), { metrics: output }).length, 1);
  });
});
