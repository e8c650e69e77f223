import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scope, type Tensor, tensor } from '@chronotope/torch';
import { PooledFeatures } from '../../testing/ccl-golden.js';
import { CclEncoder } from './encoder.js';
import { CclModel } from './model.js';
import { traceCycles } from './trace-cycles.js';

/** An encoder that gives its input, scaled to unit length. */
class Plain extends CclEncoder {
  constructor() {
    super(new PooledFeatures(4), { heads: 'shared', dimensions: 4 });
  }
  override forward(images: Tensor) {
    const unit = images.div(images.square().sum(1, { keepdim: true }).sqrt());
    return { intra: unit, cycle: unit };
  }
}

test('a cycle goes to the frames of other videos that are alike, and back to its own video if that is nearest', () =>
  scope(() => {
    // Videos 0 and 1 show one thing, videos 2 and 3 another.
    const one = [1, 0, 0, 0];
    const other = [0, 1, 0, 0];
    const images = tensor([one, one, one, one, other, other, other, other]);
    const videos = [0, 0, 1, 1, 2, 2, 3, 3];
    const model = new CclModel(new Plain(), new Plain(), 4, { intra: 2, cycle: null });
    const [fromOne, fromOther] = traceCycles(model, images, videos, [0, 4], { temperature: 0.07, seed: 5 });
    for (const [cycle, own] of [
      [fromOne!, 0],
      [fromOther!, 2],
    ] as const) {
      assert.equal(videos[cycle.target], own);
      assert.notEqual(cycle.target, cycle.start);
      assert.ok(cycle.neighbours.every(({ frame }) => videos[frame] !== own));
      const total = cycle.neighbours.reduce((sum, { weight }) => sum + weight, 0);
      assert.ok(total <= 1 + 1e-6 && cycle.effectiveNeighbours >= 1 - 1e-6);
      assert.ok(cycle.neighbours[0]!.weight >= cycle.neighbours[1]!.weight);
      // Whichever half the like video fell into, its frames tie with the target or are far behind it.
      assert.equal(cycle.rank, 1);
    }
  }));
