/** The losses of LSS, SVT and DINO against loops over plain numbers, over random numbers of views, videos and concepts. */
import { describe, test } from 'node:test';
import { gradcheck, logSoftmax, manualSeed, nn, randn, scope, softmax, type Tensor } from '@chronotope/torch';
import fc from 'fast-check';
import { assertClose } from '../testing/golden.js';
import { cosine, dot, indices, meanOf, softmaxOf, sumOf } from '../testing/naive-losses.js';
import { type BothSpaces, conceptAlignment, similarityShares } from './concept-alignment.js';
import { conceptScores, entropy, runningUniformPrior, uniformPrior } from './concepts.js';
import { crossViewCosineDistance, type ViewPair, viewPairs } from './cross-view.js';
import { nextCenter, selfDistillationLoss, twoTokenLoss } from './self-distillation.js';

const EXACT = { relative: 1e-9, absolute: 1e-11 };
const size = (min: number, max: number) => fc.integer({ min, max });
const temperature = fc.double({ min: 0.05, max: 1.5, noNaN: true });
const batch = fc.record({
  seed: fc.nat(1000),
  globals: size(1, 3),
  locals: size(1, 4),
  videos: size(1, 4),
  outputs: size(2, 6),
  student: temperature,
  teacher: temperature,
});

/** By view, video and output. */
type ByView = number[][][];
const random = (...sizes: number[]) => randn(sizes, { dtype: 'float64' });
const byView = (x: Tensor) => x.toArray() as ByView;
const rows = (x: Tensor) => x.toArray() as number[][];
const row = (x: Tensor) => x.toArray() as number[];
const check = (property: Parameters<typeof fc.assert>[0]) => fc.assert(property, { numRuns: 25 });
const crossEntropy = (p: readonly number[], q: readonly number[]) => -dot(p, q.map(Math.log));
const divergence = (p: readonly number[], q: readonly number[]) => crossEntropy(p, q) - crossEntropy(p, p);

/** The mean over pairs of views and over videos of what `term` says of the distributions of a pair. */
function overPairs(
  pairs: readonly ViewPair[],
  teacher: ByView,
  student: ByView,
  term: (p: number[], q: number[]) => number,
): number {
  return meanOf(
    pairs.flatMap(([i, j]) => indices(teacher[0]!.length).map((b) => term(teacher[i]![b]!, student[j]![b]!))),
  );
}

/** All of different views, one by one. */
function differentViews(globals: number, views: number): ViewPair[] {
  return indices(globals).flatMap((i) => indices(views).flatMap((j): ViewPair[] => (i === j ? [] : [[i, j]])));
}

describe('self-distillation', () => {
  test('sharpened and centred targets, predicted from every other view', () =>
    check(
      fc.property(batch, ({ seed, globals, locals, videos, outputs, student: ts, teacher: tt }) =>
        scope(() => {
          manualSeed(seed);
          const [teacher, student, center] = [
            random(globals, videos, outputs),
            random(globals + locals, videos, outputs),
            random(outputs),
          ];
          const c = row(center);
          const targets = byView(teacher).map((view) =>
            view.map((scores) =>
              softmaxOf(
                scores.map((value, k) => value - c[k]!),
                tt,
              ),
            ),
          );
          const predictions = byView(student).map((view) => view.map((scores) => softmaxOf(scores, ts)));
          const pairs = differentViews(globals, globals + locals);
          const loss = selfDistillationLoss(teacher, student, { temperatures: { student: ts, teacher: tt }, center });
          assertClose(loss, overPairs(pairs, targets, predictions, crossEntropy), EXACT);
        }),
      ),
    ));

  test('two tokens: the first global view teaches views 0 and 1, the second views 2 and 3, each by its own token', () =>
    check(
      fc.property(batch, ({ seed, videos, outputs, student: ts, teacher: tt }) =>
        scope(() => {
          manualSeed(seed);
          const both = (...sizes: number[]) => ({ class: random(...sizes), auxiliary: random(...sizes) });
          const [teacher, student] = [both(2, videos, outputs), both(4, videos, outputs)];
          const centers = both(outputs);
          const of = (token: 'class' | 'auxiliary', view: number, taught: number[]) => {
            const c = row(centers[token]);
            return meanOf(
              taught.flatMap((j) =>
                indices(videos).map((b) => {
                  const scores = byView(teacher[token])[view]![b]!.map((value, k) => value - c[k]!);
                  return crossEntropy(softmaxOf(scores, tt), softmaxOf(byView(student[token])[j]![b]!, ts));
                }),
              ),
            );
          };
          const loss = twoTokenLoss(teacher, student, { temperatures: { student: ts, teacher: tt }, centers });
          assertClose(loss, (of('class', 0, [0, 1]) + of('auxiliary', 1, [2, 3])) / 2, EXACT);
        }),
      ),
    ));

  test('the next centre moves towards the mean of all rows', () =>
    check(
      fc.property(batch, fc.double({ min: 0, max: 1, noNaN: true }), ({ seed, globals, videos, outputs }, momentum) =>
        scope(() => {
          manualSeed(seed);
          const [center, teacher] = [random(outputs), random(globals, videos, outputs)];
          const expected = row(center).map(
            (value, k) =>
              momentum * value +
              (1 - momentum) *
                meanOf(
                  byView(teacher)
                    .flat()
                    .map((scores) => scores[k]!),
                ),
          );
          assertClose(nextCenter(center, teacher, { momentum }), expected, EXACT);
        }),
      ),
    ));

  test('the cosine distance of features of any length', () =>
    check(
      fc.property(batch, ({ seed, globals, locals, videos, outputs }) =>
        scope(() => {
          manualSeed(seed);
          const [teacher, student] = [random(globals, videos, outputs), random(globals + locals, videos, outputs)];
          const pairs = differentViews(globals, globals + locals);
          const expected = overPairs(pairs, byView(teacher), byView(student), (a, b) => 1 - cosine(a, b));
          assertClose(crossViewCosineDistance(teacher, student), expected, EXACT);
        }),
      ),
    ));
});

describe('concept spaces', () => {
  test('scores are cosines, and shares by similarity a softmax over the categories', () =>
    check(
      fc.property(batch, ({ seed, globals, videos, outputs, student: t }) =>
        scope(() => {
          manualSeed(seed);
          const [features, axes] = [
            random(globals, videos, 5),
            nn.functional.normalize(random(outputs, 5), { dim: -1 }),
          ];
          const expected = byView(features).map((view) => view.map((x) => rows(axes).map((axis) => cosine(x, axis))));
          assertClose(conceptScores(features, axes), expected, EXACT);
          const descriptions = nn.functional.normalize(random(videos, 5), { dim: -1 });
          const shares = rows(descriptions).map((d) =>
            softmaxOf(
              rows(axes).map((axis) => dot(axis, d)),
              t,
            ),
          );
          assertClose(similarityShares(axes, descriptions, t), shares, EXACT);
        }),
      ),
    ));

  test('both forms of the uniform prior, the running one, and the entropy', () =>
    check(
      fc.property(batch, ({ seed, videos, outputs }) =>
        scope(() => {
          manualSeed(seed);
          const p = softmax(random(videos, outputs), -1);
          const [mean, before] = [p.mean(0), softmax(random(outputs), -1)];
          const q = indices(outputs).map((k) => meanOf(rows(p).map((one) => one[k]!)));
          assertClose(uniformPrior(mean), -meanOf(q.map(Math.log)), EXACT);
          assertClose(uniformPrior(mean, 'kl-to-uniform'), sumOf(q.map((one) => one * Math.log(outputs * one))), EXACT);
          const running = q.map((one, k) => (one + row(before)[k]!) / 2);
          const next = runningUniformPrior(mean, before);
          assertClose(next.loss, -2 * meanOf(running.map(Math.log)), EXACT);
          assertClose(next.mean, running, EXACT);
          assertClose(runningUniformPrior(mean, null).loss, -2 * meanOf(q.map(Math.log)), EXACT);
          assertClose(
            entropy(p),
            rows(p).map((one) => crossEntropy(one, one)),
            EXACT,
          );
        }),
      ),
    ));

  test('alignment: what the teacher sees in one space the student sees in the other, in every direction and divergence', () =>
    check(
      fc.property(batch, fc.boolean(), ({ seed, globals, locals, videos, outputs }, sameView) =>
        scope(() => {
          manualSeed(seed);
          const views = globals + locals;
          const spaces = (count: number): BothSpaces => ({
            category: logSoftmax(random(count, videos, outputs), -1),
            description: logSoftmax(random(count, videos, outputs), -1),
          });
          const [teacher, student] = [spaces(globals), spaces(views)];
          const pairs = sameView
            ? indices(globals).flatMap((i) => indices(views).map((j): ViewPair => [i, j]))
            : differentViews(globals, views);
          const symmetric = (p: number[], q: number[]) => (divergence(p, q) + divergence(q, p)) / 2;
          for (const [name, term] of [
            ['cross-entropy', crossEntropy],
            ['symmetric-kl', symmetric],
          ] as const) {
            const teach = (from: Tensor, to: Tensor) => overPairs(pairs, byView(from.exp()), byView(to.exp()), term);
            const expected = {
              'category-to-description': teach(teacher.category, student.description),
              'description-to-category': teach(teacher.description, student.category),
            };
            const options = { divergence: name, pairs: viewPairs(globals, views, { sameView }) };
            for (const [direction, value] of Object.entries(expected)) {
              const own = { ...options, direction: direction as keyof typeof expected };
              assertClose(conceptAlignment(teacher, student, own), value, EXACT);
            }
            assertClose(conceptAlignment(teacher, student, options), meanOf(Object.values(expected)), EXACT);
          }
        }),
      ),
    ));
});

test('gradients agree with finite differences', () => {
  scope(() => {
    manualSeed(3);
    const leaf = (...sizes: number[]) => random(...sizes).requiresGrad_(true);
    const temperatures = { student: 0.5, teacher: 0.3 };
    const [teacher, center] = [random(2, 2, 3), random(3)];
    const axes = nn.functional.normalize(random(3, 4), { dim: -1 });
    gradcheck((x) => selfDistillationLoss(teacher, x!, { temperatures, center }), [leaf(3, 2, 3)]);
    gradcheck((x) => crossViewCosineDistance(teacher, x!), [leaf(3, 2, 3)]);
    gradcheck((x) => conceptScores(x!, axes).square().sum(), [leaf(2, 4)]);
    for (const kind of ['neg-mean-log', 'kl-to-uniform'] as const) {
      gradcheck((x) => uniformPrior(softmax(x!, -1).mean(0), kind), [leaf(3, 4)]);
    }
    const previous = softmax(random(4), -1);
    gradcheck((x) => runningUniformPrior(softmax(x!, -1).mean(0), previous).loss, [leaf(3, 4)]);
    const log = (x: Tensor) => logSoftmax(x, -1);
    const taught = { category: log(teacher), description: log(random(2, 2, 3)) };
    const align = (category: Tensor, description: Tensor) =>
      conceptAlignment(taught, { category: log(category), description: log(description) });
    gradcheck((category, description) => align(category!, description!), [leaf(3, 2, 3), leaf(3, 2, 3)]);
  });
});
