import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gradcheck, logSoftmax, nn, ones, randn, scope, type Tensor, tensor } from '@chronotope/torch';
import fc from 'fast-check';
import { assertClose, readGolden } from '../testing/golden.js';
import { type GoldenTensor, goldenTensor } from '../testing/golden-tensors.js';
import {
  type AlignmentMode,
  type BothSpaces,
  conceptAlignment,
  type DescriptionAxes,
  descriptionsAsCategories,
  membership,
  similarityShares,
} from './concept-alignment.js';
import { conceptScores, entropy, runningUniformPrior, uniformPrior } from './concepts.js';
import { viewPairs } from './cross-view.js';
import { selfDistillationLoss, teacherProbabilities } from './self-distillation.js';

interface Spec {
  tau_student: number;
  tau_teacher: number;
  W_category: GoldenTensor;
  W_description_all: GoldenTensor;
  W_description_averaged: GoldenTensor;
  description_to_category: GoldenTensor;
  student_features: GoldenTensor;
  teacher_features: GoldenTensor;
  center_category: GoldenTensor;
  previous_mean_probability: GoldenTensor;
  scores_student_category: GoldenTensor;
  probs_teacher_category: GoldenTensor;
  terms: Record<string, { value: number; grad_student_features: GoldenTensor }>;
}

const SPEC = readGolden<Spec>('lss/lss_losses_spec.json');
const temperatures = { student: SPEC.tau_student, teacher: SPEC.tau_teacher };
const exact = { relative: 1e-9, absolute: 1e-11 };
/** The reference computed in float64 from float32 inputs. */
const double = (value: GoldenTensor) => goldenTensor(value).to({ dtype: 'float64' });
const byView = (rows: Tensor) => rows.reshape([-1, 3, rows.shape[1]!]);

describe("the method note's values in float64", () => {
  /** A term as a function of the student's features, and the teacher's. */
  type Term = (student: Tensor, teacher: Tensor) => Tensor;

  const inSpace = (concepts: GoldenTensor, loss: (teacher: Tensor, student: Tensor) => Tensor): Term => {
    return (student, teacher) => {
      const axes = double(concepts);
      return loss(byView(conceptScores(teacher, axes)), byView(conceptScores(student, axes)));
    };
  };
  const distillation = (concepts: GoldenTensor, center?: GoldenTensor) =>
    inSpace(concepts, (teacher, student) =>
      selfDistillationLoss(teacher, student, { temperatures, center: center && double(center).squeeze(0) }),
    );
  const prior = (concepts: GoldenTensor, loss: (mean: Tensor) => Tensor) =>
    inSpace(concepts, (_, student) => loss(student.div(temperatures.student).softmax(-1).mean([0, 1])));
  const alignment =
    (mode: AlignmentMode): Term =>
    (student, teacher) => {
      const axes: DescriptionAxes = {
        mode,
        toCategories:
          mode === 'aligned'
            ? null
            : membership(goldenTensor(SPEC.description_to_category), 5).to({ dtype: 'float64' }),
      };
      const descriptions = double(mode === 'aligned' ? SPEC.W_description_averaged : SPEC.W_description_all);
      const both = (features: Tensor, temperature: number): BothSpaces => ({
        category: logSoftmax(byView(conceptScores(features, double(SPEC.W_category))).div(temperature), -1),
        description: descriptionsAsCategories(byView(conceptScores(features, descriptions)), temperature, axes),
      });
      return conceptAlignment(both(teacher, temperatures.teacher), both(student, temperatures.student));
    };
  const { W_category: category, W_description_averaged: averaged } = SPEC;
  const previous = () => double(SPEC.previous_mean_probability);

  const terms: Record<string, Term> = {
    CD_category: distillation(category),
    CD_category_with_center: distillation(category, SPEC.center_category),
    CD_description_all: distillation(SPEC.W_description_all),
    CD_description_averaged: distillation(averaged),
    UP_category_neg_mean_log: prior(category, (mean) => uniformPrior(mean)),
    UP_category_kl_to_uniform: prior(category, (mean) => uniformPrior(mean, 'kl-to-uniform')),
    UP_category_neg_mean_log_moving_average: prior(category, (mean) => runningUniformPrior(mean, previous()).loss),
    UP_description_averaged_neg_mean_log: prior(averaged, (mean) => uniformPrior(mean)),
    CA_aligned: alignment('aligned'),
    CA_prob_sum: alignment('prob-sum'),
    CA_mean_score: alignment('mean-score'),
  };
  terms.TOTAL = (student, teacher) =>
    [
      'CD_category',
      'CD_description_averaged',
      'CA_aligned',
      'UP_category_neg_mean_log',
      'UP_description_averaged_neg_mean_log',
    ]
      .map((name) => terms[name]!(student, teacher))
      .reduce((sum, term) => sum.add(term));

  test('every term of the note is tested', () => {
    assert.deepEqual(Object.keys(terms).sort(), Object.keys(SPEC.terms).sort());
  });

  for (const [name, { value, grad_student_features: gradient }] of Object.entries(SPEC.terms)) {
    test(name, () =>
      scope(() => {
        const student = double(SPEC.student_features).requiresGrad_(true);
        const loss = terms[name]!(student, double(SPEC.teacher_features));
        assertClose(loss, value, exact);
        loss.backward();
        assertClose(student.grad!, gradient.data, { relative: 1e-8, absolute: 1e-9 });
      }),
    );
  }

  test('scores and sharpened probabilities', () =>
    scope(() => {
      const axes = double(category);
      assertClose(conceptScores(double(SPEC.student_features), axes), SPEC.scores_student_category.data, exact);
      const scores = conceptScores(double(SPEC.teacher_features), axes);
      const { teacher: temperature } = temperatures;
      assertClose(teacherProbabilities(scores, { temperature }), SPEC.probs_teacher_category.data, exact);
    }));
});

const size = (min: number, max: number) => fc.integer({ min, max });
const distribution = (shape: number[]) => randn(shape, { dtype: 'float64' }).softmax(-1);

test('the prior is least, log N or 0, for a uniform mean, and pushes the most likely concept down', () => {
  fc.assert(
    fc.property(size(2, 12), (concepts) =>
      scope(() => {
        const uniform = ones([concepts], { dtype: 'float64' }).div(concepts);
        assertClose(uniformPrior(uniform), Math.log(concepts), exact);
        assertClose(uniformPrior(uniform, 'kl-to-uniform'), 0, { absolute: 1e-12 });
        const logits = randn([concepts], { dtype: 'float64' }).mul(2).requiresGrad_(true);
        for (const [kind, least] of [
          ['neg-mean-log', Math.log(concepts)],
          ['kl-to-uniform', 0],
        ] as const) {
          logits.grad = null;
          const loss = uniformPrior(logits.softmax(-1), kind);
          assert.ok(loss.item() >= least);
          loss.backward();
          assert.ok(logits.grad!.select(0, logits.argmax().item()).item() > 0);
        }
      }),
    ),
    { numRuns: 30 },
  );
});

test('the running prior gives a step the gradient it would have alone where batches stay the same', () => {
  scope(() => {
    const gradient = (loss: (mean: Tensor) => Tensor) => {
      const logits = tensor([0.3, -0.2, 0.9, 0], { dtype: 'float64', requiresGrad: true });
      loss(logits.softmax(-1)).backward();
      return logits.grad!;
    };
    const alone = gradient((mean) => uniformPrior(mean));
    const running = gradient((mean) => runningUniformPrior(mean, mean.detach()).loss);
    assertClose(running, alone.toArray() as number[], exact);
    const first = runningUniformPrior(distribution([4]), null);
    assert.equal(first.mean.requiresGrad, false);
  });
});

test('the entropy lies between 0 for certainty and log N for a uniform distribution', () => {
  scope(() => {
    assertClose(
      entropy(
        tensor(
          [
            [1, 0, 0],
            [1 / 3, 1 / 3, 1 / 3],
          ],
          { dtype: 'float64' },
        ),
      ),
      [0, Math.log(3)],
      {
        absolute: 1e-6,
      },
    );
  });
});

test('features of any length have the same cosines; half precision is computed in float32', () => {
  scope(() => {
    const axes = nn.functional.normalize(randn([5, 8]));
    const features = randn([3, 8]);
    const scores = conceptScores(features, axes);
    assertClose(conceptScores(features.mul(7), axes), scores.toArray() as number[][], { relative: 1e-5 });
    assert.equal(conceptScores(features.to({ dtype: 'bfloat16' }), axes).dtype, 'float32');
  });
});

test('descriptions stand for categories as their definitions say, whatever the numbers of descriptions', () => {
  fc.assert(
    fc.property(fc.array(size(1, 4), { minLength: 2, maxLength: 5 }), (counts) =>
      scope(() => {
        const categoryOf = counts.flatMap((count, category) => Array<number>(count).fill(category));
        const scores = randn([2, categoryOf.length], { dtype: 'float64' });
        const member = membership(tensor(categoryOf, { dtype: 'int64' }), counts.length).to({ dtype: 'float64' });
        const rows = scores.toArray() as number[][];
        const softmax = (values: number[]) => {
          const total = values.reduce((sum, value) => sum + Math.exp(value), 0);
          return values.map((value) => Math.exp(value) / total);
        };
        const inCategory = (values: number[], category: number) => values.filter((_, d) => categoryOf[d] === category);
        const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
        const probSum = rows.map((row) => {
          const p = softmax(row.map((score) => score / 0.5));
          return counts.map((_, category) => Math.log(sum(inCategory(p, category))));
        });
        const meanScore = rows.map((row) =>
          softmax(counts.map((count, category) => sum(inCategory(row, category)) / count / 0.5)).map(Math.log),
        );
        const as = (mode: AlignmentMode) => descriptionsAsCategories(scores, 0.5, { mode, toCategories: member });
        assertClose(as('prob-sum'), probSum, exact);
        assertClose(as('mean-score'), meanScore, exact);
      }),
    ),
    { numRuns: 30 },
  );
});

test('by similarity every description gives all its probability away, most of it to the categories most like it', () => {
  scope(() => {
    const categories = nn.functional.normalize(randn([4, 6]));
    const shares = similarityShares(categories, categories, 0.05);
    assertClose(shares.sum(-1), [1, 1, 1, 1]);
    assert.deepEqual(shares.argmax(-1).toArray(), [0n, 1n, 2n, 3n].map(Number));
    const axes: DescriptionAxes = { mode: 'similarity', toCategories: shares };
    const total = descriptionsAsCategories(randn([3, 4]), 0.1, axes)
      .exp()
      .sum(-1);
    assertClose(total, [1, 1, 1], { relative: 1e-5 });
  });
});

test('alignment has no gradient where both spaces, the views and the temperatures are the same; shuffled axes raise it', () => {
  scope(() => {
    const logits = randn([1, 4, 6], { dtype: 'float64' }).mul(3);
    const student = logits.expand([3, 4, 6]).clone().requiresGrad_(true);
    const teacher = logSoftmax(logits.expand([2, 4, 6]), -1);
    const same = conceptAlignment(
      { category: teacher, description: teacher },
      { category: logSoftmax(student, -1), description: logSoftmax(student, -1) },
    );
    same.backward();
    assert.ok(student.grad!.abs().max().item() < 1e-12);
    const shuffle = (x: Tensor) => x.indexSelect(-1, tensor([1, 2, 3, 4, 5, 0], { dtype: 'int64' }));
    const shuffled = conceptAlignment(
      { category: teacher, description: shuffle(teacher) },
      { category: logSoftmax(student, -1), description: shuffle(logSoftmax(student, -1)) },
    );
    assert.ok(shuffled.item() > same.item() + 0.1);
  });
});

test('each direction alone is half of both, and every choice has the gradient that finite differences give', () => {
  scope(() => {
    const log = (views: number) => distribution([views, 2, 3]).log();
    const teacher = { category: log(2), description: log(2) };
    const student = { category: log(3), description: log(3) };
    const both = conceptAlignment(teacher, student).item();
    const one = conceptAlignment(teacher, student, { direction: 'category-to-description' }).item();
    const other = conceptAlignment(teacher, student, { direction: 'description-to-category' }).item();
    assertClose((one + other) / 2, both, exact);
    const sameView = conceptAlignment(teacher, student, { pairs: viewPairs(2, 3, { sameView: true }) }).item();
    assert.notEqual(sameView, both);
    const raw = randn([3, 2, 3], { dtype: 'float64' }).requiresGrad_(true);
    for (const divergence of ['cross-entropy', 'symmetric-kl'] as const) {
      gradcheck((x) => conceptAlignment(teacher, { ...student, category: logSoftmax(x, -1) }, { divergence }), [raw]);
    }
  });
});
