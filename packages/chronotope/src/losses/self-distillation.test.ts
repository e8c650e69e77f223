import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cat, gradcheck, randn, scope, type Tensor, zeros } from '@chronotope/torch';
import fc from 'fast-check';
import { assertClose, readGolden } from '../testing/golden.js';
import { type GoldenTensor, goldenTensor } from '../testing/golden-tensors.js';
import {
  crossViewCosineDistance,
  crossViewCrossEntropy,
  crossViewSymmetricKL,
  type ViewPair,
  viewPairs,
} from './cross-view.js';
import { nextCenter, selfDistillationLoss, teacherProbabilities, twoTokenLoss } from './self-distillation.js';

interface Args {
  student_temp: number;
  center_momentum: number;
  two_token?: boolean;
}

interface Step extends Record<string, GoldenTensor | number> {
  epoch: number;
  loss: number;
}

interface DinoCase {
  name: string;
  args: Args;
  teacher_temp_schedule: GoldenTensor;
  steps: Step[];
}

const CASES = readGolden<{ cases: DinoCase[] }>('lss/dino_loss.json').cases;

const golden = (step: Step, name: string, requiresGrad = false) =>
  goldenTensor(step[name] as GoldenTensor, { requiresGrad });
const data = (step: Step, name: string) => (step[name] as GoldenTensor).data;
/** View-major rows [V · B, K] as [V, B, K]. */
const byView = (rows: Tensor, views: number) => rows.reshape([views, -1, rows.shape[1]!]);
const temperatures = ({ args, teacher_temp_schedule: schedule }: DinoCase, { epoch }: Step) => ({
  student: args.student_temp,
  teacher: schedule.data[epoch]!,
});
const gradients = { relative: 1e-4, absolute: 1e-5 };

describe("DINO's and SVT's code", () => {
  for (const c of CASES.filter(({ args }) => !args.two_token)) {
    test(`loss, gradient and centre, ${c.name}`, () =>
      scope(() => {
        for (const step of c.steps) {
          const student = golden(step, 'student_output', true);
          const teacher = byView(golden(step, 'teacher_output'), 2);
          const views = (2 * student.shape[0]!) / (teacher.shape[1]! * 2);
          const center = golden(step, 'center_before').squeeze(0);
          const loss = selfDistillationLoss(teacher, byView(student, views), {
            temperatures: temperatures(c, step),
            center,
          });
          assertClose(loss, step.loss, { what: 'loss' });
          loss.backward();
          assertClose(student.grad!, data(step, 'grad_student_output'), gradients);
          const { center_momentum: momentum } = c.args;
          assertClose(nextCenter(center, teacher, { momentum }), data(step, 'center_after'), { what: 'centre' });
        }
      }));
  }

  test('two tokens have heads and centres of their own', () =>
    scope(() => {
      const c = CASES.find(({ args }) => args.two_token)!;
      for (const step of c.steps) {
        const [cls, aux] = [golden(step, 'student_output_cls', true), golden(step, 'student_output_aux', true)];
        const student = { class: byView(cls, 4), auxiliary: byView(aux, 4) };
        const teacher = {
          class: byView(golden(step, 'teacher_output_cls'), 2),
          auxiliary: byView(golden(step, 'teacher_output_aux'), 2),
        };
        const both = golden(step, 'center_before');
        const centers = { class: both.select(0, 0), auxiliary: both.select(0, 1) };
        const loss = twoTokenLoss(teacher, student, { temperatures: temperatures(c, step), centers });
        assertClose(loss, step.loss, { what: 'loss' });
        loss.backward();
        assertClose(cls.grad!, data(step, 'grad_student_output_cls'), gradients);
        assertClose(aux.grad!, data(step, 'grad_student_output_aux'), gradients);
        const after = [nextCenter(centers.class, teacher.class), nextCenter(centers.auxiliary, teacher.auxiliary)];
        assertClose(cat(after), data(step, 'center_after'), { what: 'centres' });
      }
    }));

  test('with two processes each has its own loss, and the centre is the mean over the rows of both', () =>
    scope(() => {
      const { ranks } = readGolden<{
        ranks: (Omit<DinoCase, 'name' | 'teacher_temp_schedule'> & { args: { teacher_temp: number } })[];
      }>('lss/dino_loss_two_ranks.json');
      let center = zeros([5]);
      for (const index of ranks[0]!.steps.keys()) {
        const steps = ranks.map(({ steps }) => steps[index]!);
        for (const [rank, step] of steps.entries()) {
          const { args } = ranks[rank]!;
          const student = golden(step, 'student_output', true);
          const loss = selfDistillationLoss(byView(golden(step, 'teacher_output'), 2), byView(student, 4), {
            temperatures: { student: args.student_temp, teacher: args.teacher_temp },
            center,
          });
          assertClose(loss, step.loss, { what: `loss of rank ${rank}` });
          loss.backward();
          assertClose(student.grad!, data(step, 'grad_student_output'), gradients);
        }
        center = nextCenter(center, cat(steps.map((step) => golden(step, 'teacher_output'))));
        for (const step of steps) assertClose(center, data(step, 'center_after'), { what: 'centre' });
      }
    }));
});

/** The mean over pairs and videos by its definition, in plain numbers. */
function naive(
  pairs: readonly ViewPair[],
  teacher: number[][][],
  student: number[][][],
  term: (p: number, q: number) => number,
): number {
  const videos = teacher[0]!.length;
  let sum = 0;
  for (const [i, j] of pairs) {
    for (let b = 0; b < videos; b++) {
      for (const [k, p] of teacher[i]![b]!.entries()) sum += term(p, student[j]![b]![k]!);
    }
  }
  return sum / (pairs.length * videos);
}

test('both divergences equal their definitions for random numbers of views, videos and outputs', () => {
  const size = (max: number) => fc.integer({ min: 1, max });
  fc.assert(
    fc.property(size(3), size(5), size(4), size(6), fc.boolean(), (globals, locals, videos, outputs, sameView) =>
      scope(() => {
        const views = globals + locals;
        const teacher = randn([globals, videos, outputs], { dtype: 'float64' }).softmax(-1);
        const student = randn([views, videos, outputs], { dtype: 'float64' }).softmax(-1);
        const pairs = viewPairs(globals, views, { sameView });
        assert.equal(pairs.length, globals * (views - (sameView ? 0 : 1)));
        const expected = (term: (p: number, q: number) => number) =>
          naive(pairs, teacher.toArray() as number[][][], student.toArray() as number[][][], term);
        const exact = { relative: 1e-12, absolute: 1e-12 };
        const entropy = expected((p, q) => -p * Math.log(q));
        assertClose(crossViewCrossEntropy(teacher, student.log(), pairs), entropy, exact);
        const kl = (p: number, q: number) => p * Math.log(p / q);
        const symmetric = expected((p, q) => (kl(p, q) + kl(q, p)) / 2);
        assertClose(crossViewSymmetricKL(teacher.log(), student.log(), pairs), symmetric, exact);
      }),
    ),
    { numRuns: 40 },
  );
});

test('the cosine distance is 0 for features of one direction, 2 for opposite ones', () => {
  scope(() => {
    const features = randn([1, 3, 5], { dtype: 'float64' });
    const distance = (factor: number) =>
      crossViewCosineDistance(features.expand([2, 3, 5]), features.mul(factor).expand([4, 3, 5])).item();
    assert.ok(Math.abs(distance(7)) < 1e-12);
    assert.ok(Math.abs(distance(-0.1) - 2) < 1e-12);
  });
});

test('gradients of both divergences agree with finite differences', () => {
  scope(() => {
    const targets = randn([2, 2, 4], { dtype: 'float64' }).softmax(-1);
    const student = randn([3, 2, 4], { dtype: 'float64' }).requiresGrad_(true);
    gradcheck((x) => crossViewCrossEntropy(targets, x.logSoftmax(-1)), [student]);
    gradcheck((x) => crossViewSymmetricKL(targets.log(), x.logSoftmax(-1)), [student]);
  });
});

test('a student equal to its teacher has the entropy as loss, and no gradient', () => {
  scope(() => {
    const scores = randn([1, 3, 5], { dtype: 'float64' });
    const teacher = scores.expand([2, 3, 5]);
    const student = scores.expand([4, 3, 5]).clone().requiresGrad_(true);
    const loss = selfDistillationLoss(teacher, student, { temperatures: { student: 0.3, teacher: 0.3 } });
    const p = teacherProbabilities(scores, { temperature: 0.3 });
    assertClose(loss, p.mul(p.log()).sum().div(-3).item(), { relative: 1e-12 });
    loss.backward();
    assert.ok(student.grad!.abs().max().item() < 1e-12);
    const same = crossViewSymmetricKL(p.log(), p.log(), [[0, 0]]);
    assert.equal(same.item(), 0);
  });
});

test('one view has nothing to learn from', () => {
  scope(() => {
    const view = zeros([1, 2, 3]);
    assert.throws(() => crossViewCrossEntropy(view, view), /no pairs of views/);
  });
});
