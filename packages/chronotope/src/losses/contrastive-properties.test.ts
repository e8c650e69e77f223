/** The contrastive losses of TimeBalance and TCLR against loops over plain numbers, over random shapes and temperatures. */
import { describe, test } from 'node:test';
import { gradcheck, manualSeed, nn, rand, randn, scope, type Tensor, tensor } from '@chronotope/torch';
import fc from 'fast-check';
import { assertClose } from '../testing/golden.js';
import {
  type ByTime,
  naiveGlobalLocal,
  naiveGlobalLocalOverViews,
  naiveInstance,
  naiveLocalLocal,
  naiveNtXent,
  type Rows,
} from '../testing/naive-losses.js';
import { instanceLoss } from './instance.js';
import { ntXent } from './nt-xent.js';
import { pretextLoss } from './pretext.js';
import { globalLocalLoss, globalLocalLossOverViews, localLocalLoss } from './temporal.js';

const EXACT = { relative: 1e-9, absolute: 1e-11 };
const size = (min: number, max: number) => fc.integer({ min, max });

/** A batch: seed, videos, clips of a video, width of an embedding, temperature. One video has no negatives in others. */
const shape = fc.record({
  seed: fc.nat(1000),
  videos: size(1, 5),
  times: size(2, 5),
  width: size(2, 7),
  temperature: fc.double({ min: 0.05, max: 2, noNaN: true }),
});

/** Random unit vectors in float64. */
const unit = (...sizes: number[]) => nn.functional.normalize(randn(sizes, { dtype: 'float64' }), { dim: -1 });

/** Embeddings of a batch, as pretextLoss takes them. */
function draw({ seed, videos, times, width }: { seed: number; videos: number; times: number; width: number }) {
  manualSeed(seed);
  return {
    globals: unit(2, videos, width),
    slices: unit(2, videos, times, width),
    locals: unit(2, videos, times, width),
  };
}

const byVideo = (x: Tensor) => x.toArray() as number[][][];
const byTime = (x: Tensor) => x.toArray() as ByTime;
const check = (property: Parameters<typeof fc.assert>[0]) => fc.assert(property, { numRuns: 25 });

describe('against loops over numbers', () => {
  test('NT-Xent, of one problem and of several at once, of vectors of different lengths', () =>
    check(
      fc.property(shape, ({ seed, videos, times, width, temperature }) =>
        scope(() => {
          manualSeed(seed);
          const [a, b] = [0, 1].map(() => unit(videos, times, width).mul(rand([videos, times, 1]))) as [Tensor, Tensor];
          const expected = byVideo(a).map((problem, p) => naiveNtXent(problem, byVideo(b)[p]!, temperature));
          assertClose(ntXent(a, b, { temperature }), expected, EXACT);
          assertClose(ntXent(a.select(0, 0), b.select(0, 0), { temperature }), expected[0]!, EXACT);
          assertClose(ntXent(b, a, { temperature }), expected, EXACT);
        }),
      ),
    ));

  test('the instance loss, with the positives of the code and with those of the paper', () =>
    check(
      fc.property(shape, (drawn) =>
        scope(() => {
          const { temperature } = drawn;
          const { globals, locals } = draw(drawn);
          const own = [globals.toArray() as Rows[], byTime(locals), temperature] as const;
          const all = instanceLoss(globals, locals, { temperature });
          const expected = naiveInstance(...own);
          assertClose(all.global, expected.global, EXACT);
          assertClose(all.local, expected.local, EXACT);
          const different = instanceLoss(globals, locals, { temperature, positives: 'different-time' });
          const atOtherTimes = naiveInstance(...own, (one, other) => one.time !== other.time);
          assertClose(different.global, 0, EXACT);
          assertClose(different.local, atOtherTimes.local, EXACT);
        }),
      ),
    ));

  test('local-local, summed and averaged over the videos', () =>
    check(
      fc.property(shape, (drawn) =>
        scope(() => {
          const { temperature, videos } = drawn;
          const { locals } = draw(drawn);
          const views = [locals.select(0, 0), locals.select(0, 1)] as const;
          const expected = naiveLocalLocal(byTime(locals), temperature);
          assertClose(localLocalLoss(...views, { temperature }), expected, EXACT);
          assertClose(localLocalLoss(...views, { temperature, reduction: 'mean' }), expected / videos, EXACT);
        }),
      ),
    ));

  test('global-local, of one combination of views and of all four', () =>
    check(
      fc.property(shape, (drawn) =>
        scope(() => {
          const { temperature } = drawn;
          const { slices, locals } = draw(drawn);
          for (const [v, w] of [
            [0, 0],
            [0, 1],
            [1, 0],
          ] as const) {
            const [l, d] = [slices.select(0, v), locals.select(0, w)];
            assertClose(
              globalLocalLoss(l, d, { temperature }),
              naiveGlobalLocal(byVideo(l), byVideo(d), temperature),
              EXACT,
            );
          }
          const expected = naiveGlobalLocalOverViews(byTime(slices), byTime(locals), temperature);
          assertClose(globalLocalLossOverViews(slices, locals, { temperature }), expected, EXACT);
        }),
      ),
    ));

  test('the whole pre-training loss, for any weights', () =>
    check(
      fc.property(
        shape,
        fc
          .array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 3, maxLength: 3 })
          .filter((w) => w.some((one) => one > 0)),
        (drawn, w) =>
          scope(() => {
            const { temperature } = drawn;
            const { globals, slices, locals } = draw(drawn);
            const [instance, localLocal, globalLocal] = w as [number, number, number];
            const parts = naiveInstance(byVideo(globals), byTime(locals), temperature);
            const expected =
              instance * (parts.global + parts.local) +
              localLocal * naiveLocalLocal(byTime(locals), temperature) +
              globalLocal * naiveGlobalLocalOverViews(byTime(slices), byTime(locals), temperature);
            const weights = { instance, localLocal, globalLocal };
            assertClose(pretextLoss({ globals, slices, locals }, { weights, temperature }).total, expected, EXACT);
          }),
      ),
    ));
});

test('nothing to tell apart gives the uninformative values of the method note', () =>
  check(
    fc.property(size(2, 6), size(2, 5), fc.double({ min: 0.1, max: 2, noNaN: true }), (videos, times, temperature) =>
      scope(() => {
        const same = (...sizes: number[]) => tensor([0.6, 0.8], { dtype: 'float64' }).expand([...sizes, 2]);
        const [globals, locals] = [same(2, videos), same(2, videos, times)];
        const weights = { instance: 1, localLocal: 1, globalLocal: 1 };
        const loss = pretextLoss({ globals, slices: locals, locals }, { weights, temperature });
        const among = Math.log(2 * videos - 1);
        // 2K (2K - 1) ordered pairs, a K-th of each: 14 times as much as one pair for the official four clips.
        assertClose(loss.instanceGlobal!, among, EXACT);
        assertClose(loss.instanceLocal!, 2 * (2 * times - 1) * among, EXACT);
        assertClose(loss.localLocal!, videos * Math.log(2 * times - 1), EXACT);
        assertClose(loss.globalLocal!, 4 * times * Math.log(times), EXACT);
      }),
    ),
  ));

describe('gradients agree with finite differences', () => {
  const temperature = 0.5;
  const batch = () => draw({ seed: 11, videos: 2, times: 3, width: 3 });

  test('NT-Xent of several problems', () =>
    scope(() => {
      const { locals } = batch();
      const views = [0, 1].map((view) => locals.select(0, view).clone().requiresGrad_(true));
      gradcheck((a, b) => ntXent(a!, b!, { temperature }), views);
    }));

  for (const positives of ['all', 'different-time'] as const) {
    test(`every embedding of the whole loss, positives: ${positives}`, () =>
      scope(() => {
        const inputs = Object.values(batch()).map((x) => x.requiresGrad_(true));
        const weights = { instance: 0.7, localLocal: 0.5, globalLocal: 1.3 };
        gradcheck((globals, slices, locals) => {
          const embeddings = { globals: globals!, slices: slices!, locals: locals! };
          return pretextLoss(embeddings, { weights, temperature, positives, localLocalReduction: 'mean' }).total;
        }, inputs);
      }));
  }
});
