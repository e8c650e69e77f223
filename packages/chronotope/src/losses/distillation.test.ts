import { describe, test } from 'node:test';
import { crossEntropyLoss, scope, softmax, tensor } from '@chronotope/torch';
import { assertClose, leaf, type Nested, readGolden } from '../testing/golden.js';
import { type Distillation, distillationLoss } from './distillation.js';
import { clipSimilarity, meanOffDiagonal, mixTeachers } from './similarity.js';

interface StudentCase {
  teacher_supervision: 'l2' | 'kld';
  supervised_weight: number;
  labeled_teacher_loss_weight: number;
  unlabeled_teacher_loss_weight: number;
  student_logits_labeled: Nested;
  student_logits_unlabeled: Nested;
  dist_logits_labeled: Nested;
  dist_logits_unlabeled: Nested;
  inv_logits_labeled: Nested;
  inv_logits_unlabeled: Nested;
  labels: number[];
  score_labeled: Nested;
  score_unlabeled: Nested;
  teacher_prediction_labeled: Nested;
  teacher_prediction_unlabeled: Nested;
  loss_supervised: number;
  loss_teacher_labeled: number;
  loss_teacher_unlabeled: number;
  loss_total: number;
  grad_student_logits_labeled: Nested;
  grad_student_logits_unlabeled: Nested;
}

describe('student step', () => {
  for (const [index, c] of readGolden<{ cases: StudentCase[] }>('losses/student_step.json').cases.entries()) {
    test(`official losses and gradients, case ${index} (${c.teacher_supervision})`, () =>
      scope(() => {
        const probabilities = (logits: Nested) => softmax(tensor(logits), 1);
        const teacher = (invariant: Nested, distinctive: Nested, score: Nested) =>
          mixTeachers(probabilities(invariant), probabilities(distinctive), tensor(score));
        const teacherLabeled = teacher(c.inv_logits_labeled, c.dist_logits_labeled, c.score_labeled);
        const teacherUnlabeled = teacher(c.inv_logits_unlabeled, c.dist_logits_unlabeled, c.score_unlabeled);
        assertClose(teacherLabeled, c.teacher_prediction_labeled, { what: 'teacher, labelled' });
        assertClose(teacherUnlabeled, c.teacher_prediction_unlabeled, { what: 'teacher, unlabelled' });

        const labeled = leaf(c.student_logits_labeled);
        const unlabeled = leaf(c.student_logits_unlabeled);
        const supervised = crossEntropyLoss(labeled, tensor(c.labels, { dtype: 'int64' }));
        const onLabeled = distillationLoss(labeled, teacherLabeled, c.teacher_supervision);
        const onUnlabeled = distillationLoss(unlabeled, teacherUnlabeled, c.teacher_supervision);
        assertClose(supervised, c.loss_supervised, { what: 'supervised' });
        assertClose(onLabeled, c.loss_teacher_labeled, { what: 'labelled distillation' });
        assertClose(onUnlabeled, c.loss_teacher_unlabeled, { what: 'unlabelled distillation' });

        const total = supervised
          .mul(c.supervised_weight)
          .add(onLabeled.mul(c.labeled_teacher_loss_weight))
          .add(onUnlabeled.mul(c.unlabeled_teacher_loss_weight));
        assertClose(total, c.loss_total, { what: 'total' });
        total.backward();
        assertClose(labeled.grad!, c.grad_student_logits_labeled, { relative: 2e-4, absolute: 1e-6 });
        assertClose(unlabeled.grad!, c.grad_student_logits_unlabeled, { relative: 2e-4, absolute: 1e-6 });
      }));
  }
});

interface SimilarityCase {
  features_inv: Nested;
  features_dist: Nested;
  sim_inv: Nested;
  sim_dist: Nested;
  score: Nested;
  score_clipped: Nested;
  logits_inv: Nested;
  logits_dist: Nested;
  logits_student: Nested;
  p_teacher: Nested;
  loss_mse_mean_over_elements: number;
  loss_squared_l2_mean_over_videos: number;
  loss_kl_mean_over_elements: number;
}

describe('temporal similarity', () => {
  const double = (values: Nested) => tensor(values, { dtype: 'float64' });
  const exact = { relative: 1e-9, absolute: 1e-12 };

  for (const [index, c] of readGolden<{ cases: SimilarityCase[] }>('losses/tstr_reference.json').cases.entries()) {
    test(`reference scores, mixture and distillation in float64, case ${index}`, () =>
      scope(() => {
        const invariant = clipSimilarity(double(c.features_inv));
        const distinctive = clipSimilarity(double(c.features_dist));
        assertClose(invariant, c.sim_inv, exact);
        assertClose(distinctive, c.sim_dist, exact);
        assertClose(meanOffDiagonal(invariant.add(distinctive).div(2)), c.score, exact);

        const teacher = mixTeachers(
          softmax(double(c.logits_inv), 1),
          softmax(double(c.logits_dist), 1),
          double(c.score_clipped),
        );
        assertClose(teacher, c.p_teacher, exact);
        const student = double(c.logits_student);
        const expected: [Distillation, number][] = [
          ['l2', c.loss_mse_mean_over_elements],
          ['l2-per-video', c.loss_squared_l2_mean_over_videos],
          ['kld', c.loss_kl_mean_over_elements],
        ];
        for (const [kind, loss] of expected) {
          assertClose(distillationLoss(student, teacher, kind), loss, { ...exact, what: kind });
        }
      }));
  }
});
