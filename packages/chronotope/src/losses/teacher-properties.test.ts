/** What a student learns from its teachers, against loops over plain numbers, over random shapes. */
import { describe, test } from 'node:test';
import {
  crossEntropyLoss,
  gradcheck,
  manualSeed,
  randint,
  randn,
  scope,
  softmax,
  type Tensor,
  tensor,
} from '@chronotope/torch';
import fc from 'fast-check';
import { assertClose } from '../testing/golden.js';
import { cosine, meanOf, naiveDistillation, naiveScore, type Rows, softmaxOf } from '../testing/naive-losses.js';
import { distillationLoss } from './distillation.js';
import { rampUp } from './ramp-up.js';
import { clipSimilarity, meanOffDiagonal, mixTeachers } from './similarity.js';

const EXACT = { relative: 1e-9, absolute: 1e-11 };
const KINDS = ['l2', 'kld', 'l2-per-video'] as const;
const size = (min: number, max: number) => fc.integer({ min, max });
const drawn = fc.record({ seed: fc.nat(1000), videos: size(1, 5), clips: size(2, 5), width: size(2, 7) });
const share = fc.double({ min: 0, max: 1, noNaN: true });

const random = (...sizes: number[]) => randn(sizes, { dtype: 'float64' });
const rows = (x: Tensor) => x.toArray() as number[][];
const byVideo = (x: Tensor) => x.toArray() as number[][][];
const double = (values: number[] | number[][]) => tensor(values, { dtype: 'float64' });
const check = (property: Parameters<typeof fc.assert>[0]) => fc.assert(property, { numRuns: 25 });

describe('temporal similarity (TSTR)', () => {
  test('the similarity of every two clips, of features of any length', () =>
    check(
      fc.property(drawn, ({ seed, videos, clips, width }) =>
        scope(() => {
          manualSeed(seed);
          const features = random(videos, clips, width);
          const expected = byVideo(features).map((video) => video.map((a) => video.map((b) => cosine(a, b))));
          assertClose(clipSimilarity(features), expected, EXACT);
        }),
      ),
    ));

  test('the score: averaged matrices, without their diagonal, and the same from averaged scores', () =>
    check(
      fc.property(drawn, size(1, 3), ({ seed, videos, clips, width }, teachers) =>
        scope(() => {
          manualSeed(seed);
          const features = Array.from({ length: teachers }, () => random(videos, clips, width));
          const expected = Array.from({ length: videos }, (_, v) => naiveScore(features.map((x) => byVideo(x)[v]!)));
          const matrices = features.map(clipSimilarity);
          const mean = (values: Tensor[]) => values.reduce((sum, one) => sum.add(one)).div(teachers);
          assertClose(meanOffDiagonal(mean(matrices)), expected, EXACT);
          assertClose(mean(matrices.map(meanOffDiagonal)), expected, EXACT);
        }),
      ),
    ));

  test('the mixture of both teachers: s of the invariant one, 1 - s of the other, video by video', () =>
    check(
      fc.property(drawn, fc.array(share, { minLength: 5, maxLength: 5 }), ({ seed, videos, width }, shares) =>
        scope(() => {
          manualSeed(seed);
          const [invariant, distinctive] = [softmax(random(videos, width), 1), softmax(random(videos, width), 1)];
          const scores = shares.slice(0, videos);
          const expected = rows(invariant).map((q, v) =>
            q.map((p, c) => scores[v]! * p + (1 - scores[v]!) * rows(distinctive)[v]![c]!),
          );
          assertClose(mixTeachers(invariant, distinctive, double(scores)), expected, EXACT);
        }),
      ),
    ));
});

describe('distillation', () => {
  test('every distance, and the loss of a whole step with its three weights', () =>
    check(
      fc.property(drawn, size(1, 5), fc.tuple(share, share, share), (shape, unlabelled, [a, b, c]) =>
        scope(() => {
          const { seed, videos: labelled, width: classes } = shape;
          manualSeed(seed);
          const [onLabelled, onUnlabelled] = [random(labelled, classes), random(unlabelled, classes)];
          const taught = [labelled, unlabelled].map((videos) => softmax(random(videos, classes).mul(2), 1)) as [
            Tensor,
            Tensor,
          ];
          const labels = randint(0, classes, [labelled], { dtype: 'int64' });
          const supervised = meanOf(rows(onLabelled).map((row, v) => -Math.log(softmaxOf(row)[labelOf(labels, v)]!)));
          for (const kind of KINDS) {
            const naive = (logits: Tensor, teacher: Tensor) =>
              naiveDistillation(rows(logits), rows(teacher) as Rows, kind);
            assertClose(distillationLoss(onLabelled, taught[0], kind), naive(onLabelled, taught[0]), EXACT);
            const total = crossEntropyLoss(onLabelled, labels)
              .mul(a)
              .add(distillationLoss(onLabelled, taught[0], kind).mul(b))
              .add(distillationLoss(onUnlabelled, taught[1], kind).mul(c));
            const expected = a * supervised + b * naive(onLabelled, taught[0]) + c * naive(onUnlabelled, taught[1]);
            assertClose(total, expected, EXACT);
          }
        }),
      ),
    ));

  for (const kind of KINDS) {
    test(`the gradient of ${kind} agrees with finite differences, with weights of videos too`, () =>
      scope(() => {
        manualSeed(5);
        const teacher = softmax(random(3, 4), 1);
        const logits = random(3, 4).requiresGrad_(true);
        gradcheck((z) => distillationLoss(z!, teacher, kind), [logits]);
        gradcheck((z) => distillationLoss(z!, teacher, kind, double([1, 0, 0.5])), [logits]);
      }));
  }
});

test('ramp-ups follow their formulas at every step', () =>
  check(
    fc.property(size(0, 60), size(1, 50), (step, steps) => {
      const t = Math.min(1, step / steps);
      assertClose(rampUp(step, { steps }), Math.exp(-5 * (1 - t) * (1 - t)), EXACT);
      assertClose(rampUp(step, { steps, shape: 'linear' }), t, EXACT);
    }),
  ));

function labelOf(labels: Tensor, video: number): number {
  return labels.select(0, video).item();
}
