import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arange, op, scope, type Tensor } from '@chronotope/torch';
import { VideoBackbone } from '../models/backbone.js';
import { assertClose, type Nested } from '../testing/golden.js';
import { fineFeatureMap } from './fine-map.js';

/** Means of squares of 8 pixels: what a place of the fine map must hold can be computed by hand. */
class Squares extends VideoBackbone {
  readonly features = 3;
  readonly slices = 1;
  readonly timeStride = 1;
  readonly spaceStride = 8;
  readonly keyStyle = 'chronotope';
  override featureMap(clips: Tensor): Tensor {
    const pool = op('aten::avg_pool2d') as (x: Tensor, size: number[], stride: number[]) => Tensor;
    return pool(clips.squeeze(2), [8, 8], [8, 8]).unsqueeze(2);
  }
}

test('every place of the fine map holds what the network computes around it, borders repeated', () =>
  scope(() => {
    const side = 24;
    const column = arange(0, side).to({ dtype: 'float32' });
    const image = column
      .mul(100)
      .reshape([1, 1, side, 1])
      .add(column.reshape([1, 1, 1, side]))
      .expand([1, 3, side, side]);
    const map = fineFeatureMap(new Squares(), image);
    // Three places become twelve: the least power of two that gives at least eight.
    assert.deepEqual([...map.shape], [1, 3, 12, 12]);
    const clamped = (k: number) => Math.min(side - 1, Math.max(0, k));
    const mean = (place: number) => {
      const shift = Math.round(((place % 4) + 0.5) * 2 - 4);
      const start = 8 * Math.floor(place / 4) + shift;
      return Array.from({ length: 8 }, (_, k) => clamped(start + k)).reduce((sum, k) => sum + k, 0) / 8;
    };
    const expected = Array.from({ length: 12 }, (_, row) =>
      Array.from({ length: 12 }, (_, column) => 100 * mean(row) + mean(column)),
    );
    assertClose(map.select(0, 0).select(0, 1), expected as Nested, { relative: 1e-6 });
  }));

test('a map that is fine enough stays as it is', () =>
  scope(() => {
    const image = arange(0, 3 * 64 * 64)
      .to({ dtype: 'float32' })
      .reshape([1, 3, 64, 64]);
    const backbone = new Squares();
    const coarse = backbone.featureMap(image.unsqueeze(2)).squeeze(2);
    assertClose(fineFeatureMap(backbone, image), coarse.toArray() as Nested);
  }));
