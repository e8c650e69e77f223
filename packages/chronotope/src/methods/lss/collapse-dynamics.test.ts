import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualSeed, nn, noGrad, optim, randn, scope } from '@chronotope/torch';
import type { LssRecipe } from '../../recipes/lss.js';
import { tinyLss } from '../../testing/tiny-lss.js';
import { collapseIn } from './collapse.js';
import { conceptSpacesOf } from './concept-spaces.js';
import { objectiveOf } from './objective.js';
import type { SelfDistillation } from './self-distillation.js';
import { StepMemory } from './step-memory.js';

const [VIDEOS, WIDTH, CONCEPTS] = [24, 16, 6];

/**
 * Distils a small network of noisy vectors into itself, as a run does with views of videos, and judges the teacher at the
 * end.
 */
function distil(settings: Partial<LssRecipe['objective']>): string | null {
  return scope(() => {
    manualSeed(5);
    const recipe = tinyLss([
      `concepts.categories=${CONCEPTS}`,
      'concepts.descriptions=none',
      'objective.description=0',
      'objective.alignment=0',
    ]);
    const spaces = conceptSpacesOf(recipe, null, 8);
    const network = () => new nn.Sequential(new nn.Linear(WIDTH, 32), new nn.GELU(), new nn.Linear(32, 8));
    const [student, teacher] = [network(), network()];
    const average = new optim.EMA(student, { into: teacher, decay: 0.9 });
    const optimizer = new optim.Adam(student.parameters(), { lr: 0.01 });
    const objective = { ...recipe.objective, uniform: 0, ...settings };
    const memory = new StepMemory();
    const moment = { temperatures: { student: 0.1, teacher: 0.04 }, startsEpoch: true, memory };
    const videos = randn([VIDEOS, WIDTH]);
    const signs = { entropy: Number.NaN, information: Number.NaN, used: Number.NaN };
    for (let step = 0; step < 100; step++) {
      scope(() => {
        const views = videos.add(randn([4, VIDEOS, WIDTH]).mul(1.5));
        optimizer.zeroGrad();
        const outputs = { teacher: noGrad(() => teacher.call(views.narrow(0, 0, 2))), student: student.call(views) };
        const model = { spaces, center: null } as unknown as SelfDistillation;
        const { loss, metrics } = objectiveOf(model, outputs, objective, moment);
        loss.backward();
        optimizer.step();
        average.update();
        memory.commit();
        signs.entropy = metrics.categoryEntropy!.item();
        signs.information = metrics.categoryInformation!.item();
        signs.used = metrics.categoryUsed!.item();
      });
    }
    return collapseIn(signs, { outputs: CONCEPTS, videos: VIDEOS });
  });
}

test('without the uniform prior and without centring the teacher collapses, and it is noticed', () => {
  assert.match(distil({})!, /the same of every video/);
});

test('the uniform prior, in each of its forms, or centring prevents it', () => {
  for (const uniformKind of ['neg-mean-log', 'neg-mean-log-running', 'kl-to-uniform'] as const) {
    assert.equal(distil({ uniform: 1, uniformKind }), null, uniformKind);
  }
  assert.equal(distil({ center: true }), null, 'center');
});
