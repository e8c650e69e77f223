import { describe, test } from 'node:test';
import { gradcheck, manualSeed, nn, randn, randperm, scope, type Tensor, tensor } from '@chronotope/torch';
import fc from 'fast-check';
import { assertClose, leaf, type Nested, readGolden } from '../testing/golden.js';
import { dot, meanOf, softmaxOf } from '../testing/naive-losses.js';
import { cycleLoss, neighbourAsPositiveLoss, splitBySimilarity } from './cycle.js';
import { infoNce, infoNceLogits } from './info-nce.js';
import { softNeighbours } from './soft-neighbour.js';

const LOSS = { relative: 1e-5 };
const GRADIENT = { relative: 1e-4, absolute: 1e-6 };
const unit = (x: Tensor) => nn.functional.normalize(x, { dim: -1 });
/** Row `chosen[n]` of the candidates of query n. */
const pick = (candidates: Tensor, chosen: readonly number[]) =>
  candidates.takeAlongDim(tensor(chosen, { dtype: 'int64' }).reshape([-1, 1, 1]), { dim: 1 }).squeeze(1);

interface IntraCase {
  case: string;
  mode: 'moco' | 'intra';
  temperature: number;
  query_raw: Nested;
  key_raw: Nested;
  candidates_raw: Nested | null;
  positive_index: number[] | null;
  queue: Nested;
  logits: Nested;
  loss: number;
  grad_query_raw: Nested;
}

describe('intra-video loss', () => {
  const { cases } = readGolden<{ cases: IntraCase[] }>('ccl/intra_loss.json');
  for (const c of cases) {
    test(`official logits, value and gradient: ${c.case}`, () =>
      scope(() => {
        const query = leaf(c.query_raw);
        const positives = c.mode === 'moco' ? tensor(c.key_raw) : pick(tensor(c.candidates_raw!), c.positive_index!);
        const logits = infoNceLogits(unit(query), unit(positives), tensor(c.queue), { temperature: c.temperature });
        const loss = infoNce(logits);
        assertClose(logits, c.logits, LOSS);
        assertClose(loss, c.loss, LOSS);
        loss.backward();
        assertClose(query.grad!, c.grad_query_raw, GRADIENT);
      }));
  }

  test('a negative that is left out changes the loss as if it were not in the queue', () =>
    scope(() => {
      manualSeed(3);
      const [anchors, positives, negatives] = [unit(randn([2, 4])), unit(randn([2, 4])), randn([4, 5])];
      const excluded = tensor([Array(5).fill(false), Array(5).fill(false)], { dtype: 'bool' });
      excluded.narrow(1, 3, 2).fill_(1);
      const masked = infoNce(infoNceLogits(anchors, positives, negatives, { excluded }));
      const shorter = infoNce(infoNceLogits(anchors, positives, negatives.narrow(1, 0, 3)));
      assertClose(masked, shorter.item());
    }));
});

interface CycleCase {
  case: string;
  temperature: number;
  soft_nn_temperature: number;
  support_size: number;
  include_self: boolean;
  query_raw: Nested;
  key: Nested;
  candidates: Nested;
  queue: Nested;
  permutation: number[] | null;
  positive_index: number[];
  alpha: Nested;
  soft_nn_unnormalised: Nested;
  soft_nn: Nested;
  back_logits: Nested;
  loss: number;
  grad_query_raw: Nested;
}

describe('cycle loss', () => {
  const { cases } = readGolden<{ cases: CycleCase[] }>('ccl/cycle_loss.json');
  for (const c of cases) {
    test(`official weights, neighbour, logits, value and gradient: ${c.case}`, () =>
      scope(() => {
        const query = leaf(c.query_raw);
        const queue = tensor(c.queue);
        const part = (from: number, to?: number) =>
          c.permutation === null
            ? queue
            : queue.indexSelect(1, tensor(c.permutation.slice(from, to), { dtype: 'int64' }));
        const sets = { candidates: part(0, c.support_size), negatives: part(c.support_size) };
        const self = c.include_self ? tensor(c.key) : null;
        const temperature = c.soft_nn_temperature;
        const found = softNeighbours(unit(query), sets.candidates, { temperature, self });
        const plain = softNeighbours(unit(query), sets.candidates, { temperature, self, normalise: false });
        assertClose(found.weights, c.alpha, LOSS);
        assertClose(plain.neighbours, c.soft_nn_unnormalised, LOSS);
        assertClose(found.neighbours, c.soft_nn, LOSS);
        const positives = pick(tensor(c.candidates), c.positive_index);
        const { loss, logits } = cycleLoss(unit(query), positives, sets, {
          temperature: c.temperature,
          neighbourTemperature: temperature,
          self,
        });
        assertClose(logits, c.back_logits, LOSS);
        assertClose(loss, c.loss, LOSS);
        loss.backward();
        assertClose(query.grad!, c.grad_query_raw, GRADIENT);
      }));
  }
});

/** Rows of float64 numbers. */
type Rows = number[][];
const rows = (x: Tensor): Rows => x.toArray() as Rows;
const booleans = (x: Tensor): boolean[][] => rows(x.to({ dtype: 'float64' })).map((row) => row.map((one) => one !== 0));
const columns = (x: Rows): Rows => x[0]!.map((_, k) => x.map((row) => row[k]!));
const nceOf = (anchor: readonly number[], positive: readonly number[], negatives: Rows, t: number) =>
  -Math.log(softmaxOf([positive, ...negatives].map((v) => dot(anchor, v) / t))[0]!);

const setting = fc.record({
  seed: fc.nat(1000),
  n: fc.integer({ min: 1, max: 5 }),
  c: fc.integer({ min: 2, max: 6 }),
  m: fc.integer({ min: 2, max: 7 }),
  k: fc.integer({ min: 1, max: 7 }),
});

/** Random unit queries, positives, and a queue, in float64. */
function problem({ seed, n, c, m, k }: { seed: number; n: number; c: number; m: number; k: number }) {
  manualSeed(seed);
  const draw = (...shape: number[]) => unit(randn(shape, { dtype: 'float64' }));
  const queue = draw(m + k, c).transpose(0, 1);
  return { queries: draw(n, c), positives: draw(n, c), queue };
}

describe('against loops over numbers', () => {
  test('the loss within a video, with negatives left out', () =>
    fc.assert(
      fc.property(setting, (drawn) =>
        scope(() => {
          const { n, m, k } = drawn;
          const { queries, positives, queue } = problem(drawn);
          const excluded = randn([n, m + k]).lt(-0.5);
          const logits = infoNceLogits(queries, positives, queue, { temperature: 0.2, excluded });
          const [p, all, left] = [rows(positives), columns(rows(queue)), booleans(excluded)];
          const expected = rows(queries).map((query, i) => {
            const negatives = all.filter((_, j) => !left[i]![j]);
            return nceOf(query, p[i]!, negatives, 0.2);
          });
          assertClose(infoNce(logits), meanOf(expected), { relative: 1e-9 });
        }),
      ),
      { numRuns: 40 },
    ));

  test('soft neighbours: of all, of the nearest few, and with the query itself among them', () =>
    fc.assert(
      fc.property(setting, fc.integer({ min: 1, max: 7 }), (drawn, wanted) =>
        scope(() => {
          const { m } = drawn;
          const { queries, positives, queue } = problem(drawn);
          const candidates = queue.narrow(1, 0, m);
          const nearest = Math.min(wanted, m);
          const [q, keys, all] = [rows(queries), rows(positives), columns(rows(candidates))];
          const sum = (vectors: Rows, weights: number[]) =>
            vectors[0]!.map((_, d) => vectors.reduce((total, one, j) => total + weights[j]! * one[d]!, 0));
          const unitOf = (vector: number[]) => vector.map((value) => value / Math.sqrt(dot(vector, vector)));
          const over = (query: number[], among: Rows) =>
            sum(
              among,
              softmaxOf(
                among.map((one) => dot(query, one)),
                0.4,
              ),
            );
          const find = (options: Parameters<typeof softNeighbours>[2]) =>
            softNeighbours(queries, candidates, { temperature: 0.4, ...options }).neighbours;
          assertClose(
            find({ normalise: false }),
            q.map((query) => over(query, all)),
            { relative: 1e-9 },
          );
          const few = q.map((query) => all.toSorted((a, b) => dot(query, b) - dot(query, a)).slice(0, nearest));
          assertClose(
            find({ weigh: { nearest } }),
            q.map((query, i) => unitOf(over(query, few[i]!))),
            { relative: 1e-9 },
          );
          // The query enters the sum, but its score is that with its key.
          const withSelf = q.map((query, i) => {
            const scores = [dot(query, keys[i]!), ...all.map((one) => dot(query, one))];
            return unitOf(sum([query, ...all], softmaxOf(scores, 0.4)));
          });
          assertClose(find({ self: positives }), withSelf, { relative: 1e-9 });
        }),
      ),
      { numRuns: 40 },
    ));

  test('cycle loss, with entries left out of both sets', () =>
    fc.assert(
      fc.property(setting, (drawn) =>
        scope(() => {
          const { n, m, k } = drawn;
          const { queries, positives, queue } = problem(drawn);
          const out = randn([n, m + k]).lt(-0.5);
          // One candidate is always allowed: an empty set has no neighbour.
          out.narrow(1, 0, 1).fill_(0);
          const { loss } = cycleLoss(
            queries,
            positives,
            {
              candidates: queue.narrow(1, 0, m),
              negatives: queue.narrow(1, m, k),
              excludedCandidates: out.narrow(1, 0, m),
              excludedNegatives: out.narrow(1, m, k),
            },
            { temperature: 0.3, neighbourTemperature: 0.5 },
          );
          const [q, p, all, left] = [rows(queries), rows(positives), columns(rows(queue)), booleans(out)];
          const expected = q.map((query, i) => {
            const u = all.slice(0, m).filter((_, j) => !left[i]![j]);
            const w = all.slice(m).filter((_, j) => !left[i]![m + j]);
            const alpha = softmaxOf(u.map((one) => dot(query, one) / 0.5));
            const sum = query.map((_, d) => u.reduce((total, one, j) => total + alpha[j]! * one[d]!, 0));
            const neighbour = sum.map((value) => value / Math.sqrt(dot(sum, sum)));
            return nceOf(neighbour, p[i]!, w, 0.3);
          });
          assertClose(loss, meanOf(expected), { relative: 1e-9 });
        }),
      ),
      { numRuns: 40 },
    ));

  test('the split by similarity: nearest entries make the neighbour, a gap serves nothing, the rest is negative', () =>
    fc.assert(
      fc.property(setting, fc.integer({ min: 0, max: 2 }), (drawn, wanted) =>
        scope(() => {
          const { m, k } = drawn;
          const gap = Math.min(wanted, k - 1);
          const { queries, positives, queue } = problem(drawn);
          const sets = splitBySimilarity(queries, queue, { candidates: m, gap });
          const { loss } = cycleLoss(queries, positives, sets, { temperature: 0.4 });
          const [q, p, all] = [rows(queries), rows(positives), columns(rows(queue))];
          const expected = q.map((query, i) => {
            const ranked = all.toSorted((a, b) => dot(query, b) - dot(query, a));
            const u = ranked.slice(0, m);
            const alpha = softmaxOf(u.map((one) => dot(query, one) / 0.4));
            const sum = query.map((_, d) => u.reduce((total, one, j) => total + alpha[j]! * one[d]!, 0));
            const neighbour = sum.map((value) => value / Math.sqrt(dot(sum, sum)));
            return nceOf(neighbour, p[i]!, ranked.slice(m + gap), 0.4);
          });
          assertClose(loss, meanOf(expected), { relative: 1e-9 });
        }),
      ),
      { numRuns: 40 },
    ));

  test('the nearest candidate as the positive', () =>
    fc.assert(
      fc.property(setting, (drawn) =>
        scope(() => {
          const { m, k } = drawn;
          const { queries, queue } = problem(drawn);
          const sets = { candidates: queue.narrow(1, 0, m), negatives: queue.narrow(1, m, k) };
          const { loss } = neighbourAsPositiveLoss(queries, sets, { temperature: 0.4 });
          const all = columns(rows(queue));
          const expected = rows(queries).map((query) => {
            const nearest = all.slice(0, m).toSorted((a, b) => dot(query, b) - dot(query, a))[0]!;
            return nceOf(query, nearest, all.slice(m), 0.4);
          });
          assertClose(loss, meanOf(expected), { relative: 1e-9 });
        }),
      ),
      { numRuns: 40 },
    ));
});

describe('soft nearest neighbour', () => {
  const drawn = { seed: 5, n: 3, c: 4, m: 6, k: 4 };

  test('its gradient agrees with finite differences, also when only the k nearest share the weight', () =>
    scope(() => {
      const { queries, positives, queue } = problem(drawn);
      const sets = { candidates: queue.narrow(1, 0, 6), negatives: queue.narrow(1, 6, 4) };
      for (const weigh of ['all', { nearest: 3 }] as const) {
        const input = queries.clone().requiresGrad_(true);
        gradcheck((q: Tensor) => cycleLoss(q, positives, sets, { temperature: 0.5, weigh }).loss, [input]);
      }
    }));

  test('a low temperature gives the nearest candidate, a high one the mean of all', () =>
    scope(() => {
      const { queries, queue } = problem(drawn);
      const cold = softNeighbours(queries, queue, { temperature: 1e-4 });
      const hard = softNeighbours(queries, queue, { weigh: 'hard' });
      assertClose(cold.neighbours, hard.neighbours.toArray() as Nested, { absolute: 1e-6 });
      const hot = softNeighbours(queries, queue, { temperature: 1e6, normalise: false });
      const mean = queue.mean(1).unsqueeze(0).expand([3, 4]);
      assertClose(hot.neighbours, mean.toArray() as Nested, { absolute: 1e-5 });
    }));

  test('the hard neighbour goes forward as one candidate and backward as the soft one', () =>
    scope(() => {
      const { queries, queue } = problem(drawn);
      const gradientOf = (weigh: 'all' | 'hard') => {
        const q = queries.clone().requiresGrad_(true);
        const { neighbours, weights } = softNeighbours(q, queue, { temperature: 0.5, weigh, normalise: false });
        neighbours.mul(positivesOf(drawn)).sum().backward();
        return { gradient: q.grad!.toArray() as Nested, weights };
      };
      const [soft, hard] = [gradientOf('all'), gradientOf('hard')];
      assertClose(hard.weights.max(), 1);
      assertClose(tensor(hard.gradient, { dtype: 'float64' }), soft.gradient);
    }));

  test('does not depend on the order of the candidates', () =>
    scope(() => {
      const { queries, queue } = problem(drawn);
      const shuffled = queue.indexSelect(1, randperm(10));
      const [one, other] = [softNeighbours(queries, queue), softNeighbours(queries, shuffled)];
      assertClose(one.neighbours, other.neighbours.toArray() as Nested, { relative: 1e-9 });
    }));
});

function positivesOf(drawn: Parameters<typeof problem>[0]): Tensor {
  return problem(drawn).positives;
}
