import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualSeed, randn, scope, stack, type Tensor, tensor, zeros } from '@chronotope/torch';
import { assertClose } from '../testing/golden.js';
import { appearance, categoryScore, crossVideoNeighbours } from './cross-video.js';

const [VIDEOS, FRAMES] = [6, 3];
const videos = Array.from({ length: VIDEOS * FRAMES }, (_, frame) => Math.floor(frame / FRAMES));
const labels = videos.map((video) => video % 2);

/** Features whose direction is the class, with a little of the frame's own. */
function byClass(noise: number): Tensor {
  manualSeed(1);
  const own = randn([videos.length, 4]).mul(noise);
  return stack(
    labels.map((label, frame) => own.select(0, frame).add(tensor(label === 0 ? [1, 0, 0, 0] : [0, 1, 0, 0]))),
  );
}

test('neighbours are frames of other videos, nearest first, as a plain search finds them', () =>
  scope(() => {
    manualSeed(2);
    const features = randn([videos.length, 5]);
    const { frames, similarities } = crossVideoNeighbours(features, videos, 4);
    const rows = features.toArray() as number[][];
    const cosine = (a: number[], b: number[]) =>
      a.reduce((sum, one, k) => sum + one * b[k]!, 0) / (Math.hypot(...a) * Math.hypot(...b));
    for (const [frame, row] of rows.entries()) {
      const expected = [...rows.keys()]
        .filter((other) => videos[other] !== videos[frame])
        .sort((a, b) => cosine(row, rows[b]!) - cosine(row, rows[a]!))
        .slice(0, 4);
      assert.deepEqual(frames[frame], expected);
      assertClose(similarities[frame]![0]!, cosine(row, rows[expected[0]!]!), { absolute: 1e-5 });
    }
  }));

test('features of the class keep to it, whatever the pictures look like', () =>
  scope(() => {
    manualSeed(3);
    const looks = randn([videos.length, 6]);
    const score = categoryScore(crossVideoNeighbours(byClass(0.01), videos, 6), looks, { videos, labels }, [1, 5, 99]);
    assert.deepEqual(score.purity, [
      { k: 1, share: 1 },
      { k: 5, share: 1 },
    ]);
    assert.equal(score.unlike.sameClass, 1);
    assert.ok(score.unlike.frames > 0.2 && score.unlike.frames < 0.8);
    // 2 of the 5 other videos are of the same class.
    assertClose(score.chance, 0.4);
  }));

test('appearance alone never finds what looks different', () =>
  scope(() => {
    manualSeed(4);
    const looks = randn([videos.length, 6]);
    const unit = looks.div(looks.square().sum(1, { keepdim: true }).sqrt());
    const score = categoryScore(crossVideoNeighbours(unit, videos, 3), unit, { videos, labels }, [1]);
    assert.equal(score.unlike.frames, 0);
    assert.ok(Number.isNaN(score.unlike.sameClass));
  }));

test('appearance is the mean colour of each cell of a grid', () =>
  scope(() => {
    const image = zeros([1, 3, 9, 9]);
    image.narrow(1, 2, 1).narrow(2, 0, 2).narrow(3, 2, 2).fill_(1);
    const looks = appearance(image).reshape([3, 4, 4]);
    assertClose(looks.select(0, 2).select(0, 0), [0, 1, 0, 0]);
    assertClose(looks.sum(), 1);
  }));
