import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualSeed, randn, scope, type Tensor } from '@chronotope/torch';
import { teacherProbabilities } from '../../losses/self-distillation.js';
import type { LssRecipe } from '../../recipes/lss.js';
import { assertClose, readGolden } from '../../testing/golden.js';
import { type GoldenTensor, goldenTensor } from '../../testing/golden-tensors.js';
import { tinyLss, tinySvt } from '../../testing/tiny-lss.js';
import { ConceptSpaces } from './concept-spaces.js';
import { type Moment, type Objective, objectiveOf, type ViewOutputs } from './objective.js';
import { newSelfDistillation } from './pipeline.js';
import type { SelfDistillation } from './self-distillation.js';
import { StepMemory } from './step-memory.js';

interface Spec {
  tau_student: number;
  tau_teacher: number;
  W_category: GoldenTensor;
  W_description_all: GoldenTensor;
  W_description_averaged: GoldenTensor;
  description_to_category: GoldenTensor;
  student_features: GoldenTensor;
  teacher_features: GoldenTensor;
  terms: Record<string, { value: number; grad_student_features: GoldenTensor }>;
}

const SPEC = readGolden<Spec>('lss/lss_losses_spec.json');

const MOMENT: Omit<Moment, 'memory'> = {
  temperatures: { student: SPEC.tau_student, teacher: SPEC.tau_teacher },
  startsEpoch: true,
};

function specSpaces(descriptions: 'averaged' | 'all'): ConceptSpaces {
  const space = {
    ...{ names: [], sentences: [], classOf: SPEC.description_to_category.data },
    category: goldenTensor(SPEC.W_category),
    description: goldenTensor(SPEC.W_description_averaged),
    descriptions: goldenTensor(SPEC.W_description_all),
  };
  return new ConceptSpaces(space, descriptions);
}

const inSpaces = (spaces: ConceptSpaces) => ({ spaces, center: null }) as unknown as SelfDistillation;
const byView = (features: Tensor) => features.reshape([-1, 3, features.shape[1]!]);

/** The objective of a step of one part, after which centres and mean predictions move. */
function ofStep(
  model: SelfDistillation,
  outputs: ViewOutputs,
  settings: LssRecipe['objective'],
  moment: Omit<Moment, 'memory'> = MOMENT,
): Objective {
  const memory = new StepMemory();
  const objective = objectiveOf(model, outputs, settings, { ...moment, memory });
  memory.commit();
  return objective;
}

/** The objective on the method note's features. */
function onSpec(spaces: ConceptSpaces, settings: LssRecipe['objective'], moment = MOMENT) {
  const student = goldenTensor(SPEC.student_features, { requiresGrad: true });
  const outputs = { teacher: byView(goldenTensor(SPEC.teacher_features)), student: byView(student) };
  return { ...ofStep(inSpaces(spaces), outputs, settings, moment), student };
}

const DEFAULTS = tinyLss().objective;
const only = (changes: Partial<LssRecipe['objective']>) => ({
  ...DEFAULTS,
  ...{ category: 0, description: 0, alignment: 0, uniform: 0 },
  ...changes,
});

describe('in concept spaces', () => {
  test('the sum of all terms and its gradient are those of the method note', () =>
    scope(() => {
      const { loss, student } = onSpec(specSpaces('averaged'), DEFAULTS);
      const { value, grad_student_features: gradient } = SPEC.terms.TOTAL!;
      assertClose(loss, value, { relative: 2e-5 });
      loss.backward();
      assertClose(student.grad!, gradient.data, { relative: 1e-4, absolute: 1e-4 });
    }));

  const alone: [string, 'averaged' | 'all', Partial<LssRecipe['objective']>, string][] = [
    ['CD_category', 'averaged', { category: 1 }, 'category'],
    ['CD_description_averaged', 'averaged', { description: 1 }, 'description'],
    ['CD_description_all', 'all', { description: 1 }, 'description'],
    ['CA_aligned', 'all', { alignment: 1 }, 'alignment'],
    ['CA_prob_sum', 'all', { alignment: 1, alignmentMode: 'prob-sum' }, 'alignment'],
    ['CA_mean_score', 'all', { alignment: 1, alignmentMode: 'mean-score' }, 'alignment'],
  ];
  for (const [name, descriptions, settings, metric] of alone) {
    test(`${name} by itself; terms of weight 0 are neither computed nor logged`, () =>
      scope(() => {
        const { loss, metrics, student } = onSpec(specSpaces(descriptions), only(settings));
        const { value, grad_student_features: gradient } = SPEC.terms[name]!;
        assertClose(loss, value, { relative: 2e-5 });
        const terms = Object.keys(metrics).filter((key) => !/(Entropy|Information|Used|agreement)$/.test(key));
        assert.deepEqual(terms, [metric]);
        loss.backward();
        assertClose(student.grad!, gradient.data, { relative: 1e-4, absolute: 1e-4 });
      }));
  }

  test('alignment by similarity, within views, in one direction and by divergence gives finite losses of their own', () =>
    scope(() => {
      const losses = [
        {},
        { alignmentMode: 'similarity' as const },
        { alignmentCrossView: false },
        { alignmentDirection: 'category-to-description' as const },
        { alignmentDivergence: 'symmetric-kl' as const },
      ].map((settings) => onSpec(specSpaces('all'), only({ alignment: 1, ...settings })).loss.item());
      assert.ok(losses.every(Number.isFinite));
      assert.equal(new Set(losses).size, losses.length);
    }));

  test('a centre is used by the next batch, not by its own', () =>
    scope(() => {
      const spaces = specSpaces('averaged');
      const settings = only({ category: 1, center: true });
      const first = onSpec(spaces, settings);
      assertClose(first.loss, SPEC.terms.CD_category!.value, { relative: 2e-5 });
      const scores = spaces.category.call(goldenTensor(SPEC.teacher_features));
      assertClose(spaces.category.center, scores.mean(0).mul(0.1).toArray() as number[], { relative: 1e-5 });
      assert.notEqual(onSpec(spaces, settings).loss.item(), first.loss.item());
    }));

  test('in parts, a step moves centres and mean predictions once, as the whole batch would', () =>
    scope(() => {
      const [inParts, atOnce] = [specSpaces('averaged'), specSpaces('averaged')];
      const settings = only({ category: 1, uniform: 1, uniformKind: 'neg-mean-log-running', center: true });
      const [teacher, student] = [randn([2, 4, 10]), randn([4, 4, 10])];
      ofStep(inSpaces(atOnce), { teacher, student }, settings);
      const memory = new StepMemory();
      for (const first of [0, 2]) {
        const part = { teacher: teacher.narrow(1, first, 2), student: student.narrow(1, first, 2) };
        objectiveOf(inSpaces(inParts), part, settings, { ...MOMENT, memory });
      }
      assert.equal(inParts.category.center.abs().max().item(), 0, 'no part sees what another one moved');
      memory.commit();
      const close = { relative: 1e-5, absolute: 1e-6 };
      assertClose(inParts.category.center, atOnce.category.center.toArray() as number[], close);
      assertClose(inParts.category.meanPrediction, atOnce.category.meanPrediction.toArray() as number[], close);
    }));

  test('the running prior remembers the batch before, and begins anew with an epoch', () =>
    scope(() => {
      const spaces = specSpaces('averaged');
      const settings = only({ category: 1, uniform: 1, uniformKind: 'neg-mean-log-running' });
      const prior = (startsEpoch: boolean) =>
        onSpec(spaces, settings, { ...MOMENT, startsEpoch }).metrics.categoryUniform!.item();
      const first = prior(true);
      spaces.category.meanPrediction.fill_(0.2);
      assert.notEqual(prior(false), first);
      assert.equal(prior(true), first);
    }));

  test('the axes keep length 1, get no gradient and do not change', () =>
    scope(() => {
      const spaces = specSpaces('averaged');
      const before = spaces.category.axes.clone();
      assertClose(before.norm(2, 1), Array(5).fill(1));
      onSpec(spaces, DEFAULTS).loss.backward();
      assert.equal(spaces.parameters().length, 0);
      assert.equal(spaces.category.axes.grad, null);
      assert.ok(spaces.category.axes.equal(before));
    }));
});

test('equal student and teacher, views and temperatures: the loss is the entropy and has no gradient', () => {
  scope(() => {
    manualSeed(3);
    const spaces = specSpaces('averaged');
    const settings = only({ category: 1 });
    const features = randn([1, 3, 10]);
    const student = features.expand([4, 3, 10]).clone().requiresGrad_(true);
    const temperatures = { student: 0.1, teacher: 0.1 };
    const outputs = { teacher: features.expand([2, 3, 10]), student };
    const { loss } = ofStep(inSpaces(spaces), outputs, settings, { ...MOMENT, temperatures });
    const p = teacherProbabilities(spaces.category.call(features), { temperature: 0.1 });
    assertClose(loss, p.mul(p.log()).sum(-1).mean().mul(-1).item(), { relative: 1e-5 });
    loss.backward();
    assert.ok(student.grad!.abs().max().item() < 1e-6);
  });
});

test('a learnt head has one loss, and a centre that moves; features alone are compared by cosine', () => {
  scope(() => {
    const svt = newSelfDistillation(tinySvt(), null);
    const outputs = { teacher: randn([2, 3, 32]), student: randn([4, 3, 32]).requiresGrad_(true) };
    const { loss, metrics } = ofStep(svt, outputs, tinySvt().objective);
    assert.ok('distillation' in metrics && 'outputInformation' in metrics);
    assertClose(svt.center!, outputs.teacher.mean([0, 1]).mul(0.1).toArray() as number[], { relative: 1e-5 });
    loss.backward();
    assert.ok(outputs.student.grad!.abs().max().item() > 0);

    const recipe = tinyLss(['head.kind=none']);
    const plain = newSelfDistillation(recipe, null);
    const same = randn([1, 3, 8]);
    const equal = { teacher: same.expand([2, 3, 8]), student: same.expand([4, 3, 8]) };
    assert.ok(Math.abs(ofStep(plain, equal, recipe.objective).loss.item()) < 1e-6);
    for (const model of [svt, plain]) model.dispose();
  });
});
