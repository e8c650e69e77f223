import { test } from 'node:test';
import { manualSeed, randn, scope, type Tensor } from '@chronotope/torch';
import fc from 'fast-check';
import type { ClipLoader } from '../../data/loader.js';
import { assertClose } from '../../testing/golden.js';
import { naiveScore } from '../../testing/naive-losses.js';
import { similarityScores } from './inference.js';

/** What a loader gives of clips `[n, V, 3, T, S, S]` that show V videos, `batch` videos at a time. */
function loaderOf(clips: Tensor, batch: number): ClipLoader {
  const videos = clips.shape[1]!;
  function* batches() {
    for (let start = 0; start < videos; start += batch) {
      const ids = Array.from({ length: Math.min(batch, videos - start) }, (_, k) => `video ${start + k}`);
      yield { ids, labels: null, views: { clips: clips.narrow(1, start, ids.length) } };
    }
  }
  return { videos, batches } as unknown as ClipLoader;
}

test('stage C: each video gets the score of its own clips under both teachers, in batches of any size', () => {
  const size = (min: number, max: number) => fc.integer({ min, max });
  fc.assert(
    fc.property(fc.nat(1000), size(1, 5), size(2, 4), size(1, 5), size(1, 2), (seed, videos, n, batch, teachers) =>
      scope(() => {
        manualSeed(seed);
        const clips = randn([n, videos, 3, 2, 1, 1]);
        const weights = Array.from({ length: teachers }, () => randn([6, 4]));
        const networks = weights.map((w) => (x: Tensor) => x.flatten({ startDim: 1 }).matmul(w));
        const scores = similarityScores(networks, loaderOf(clips, batch));
        for (let v = 0; v < videos; v++) {
          const own = clips.select(1, v).flatten({ startDim: 1 });
          const features = weights.map((w) => own.matmul(w).toArray() as number[][]);
          assertClose(scores.get(`video ${v}`)!, naiveScore(features), { relative: 1e-4, absolute: 1e-5 });
        }
      }),
    ),
    { numRuns: 25 },
  );
});
