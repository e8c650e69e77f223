import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cat, eye, nn, ones, scope, type Tensor, tensor } from '@chronotope/torch';
import { Clip } from '../models/clip/clip.js';
import { assertClose, readGolden } from '../testing/golden.js';
import { type GoldenTensor, goldenState, goldenTensor } from '../testing/golden-tensors.js';
import { type TinyClip, tinyShape } from '../testing/tiny-clip.js';
import { counterpartRanks, summariseRanks } from './cross-modal.js';
import { zeroShotProbabilities } from './zero-shot.js';

interface ZeroShot {
  prompt_tokens: GoldenTensor;
  classifier_weights: GoldenTensor;
  images: GoldenTensor;
  labels: GoldenTensor;
  logits: GoldenTensor;
  n_correct_top1: number;
}

test("prompt ensemble and logits are those of OpenAI's notebook", () => {
  const tiny = readGolden<TinyClip>('clip/clip_tiny.json');
  const golden = readGolden<ZeroShot>('clip/zeroshot.json');
  scope(() => {
    const clip = new Clip(tinyShape(tiny));
    clip.loadStateDict(goldenState(tiny.state_dict));
    const prompts = goldenTensor(golden.prompt_tokens);
    const [classes, perClass] = prompts.shape as [number, number];
    const encoded = nn.functional.normalize(clip.text.call(prompts.flatten({ endDim: 1 })));
    const weights = nn.functional.normalize(encoded.view([classes, perClass, -1]).mean(1));
    assertClose(weights.transpose(0, 1).contiguous(), golden.classifier_weights.data, { absolute: 2e-5 });
    const images = nn.functional.normalize(clip.visual.call(goldenTensor(golden.images)));
    const logits = images.matmul(weights.transpose(0, 1)).mul(100);
    assertClose(logits, golden.logits.data, { absolute: 1e-3 });
    const probabilities = zeroShotProbabilities(images, weights, 100);
    assertClose(probabilities, goldenTensor(golden.logits).softmax(1).toArray() as number[][], { absolute: 1e-3 });
    const right = probabilities.argmax(1).eq(goldenTensor(golden.labels)).sum().item();
    assert.equal(right, golden.n_correct_top1);
    clip.dispose();
  });
});

const ranks = (queries: Tensor, items: Tensor, keys: string[]) =>
  counterpartRanks(queries, items, { queries: keys, items: keys });

test('ranks count what is nearer than the counterpart; equal captions are right for each other', () => {
  scope(() => {
    const items = eye(3);
    const queries = nn.functional.normalize(
      tensor([
        [1, 0, 0],
        [3, 2, 1],
        [3, 2, 1],
      ]),
    );
    assert.deepEqual(ranks(queries, items, ['a', 'b', 'c']), [1, 2, 3]);
    assert.deepEqual(ranks(queries, items, ['a', 'same', 'same']), [1, 2, 2]);
    assert.deepEqual(ranks(cat([items, items]), cat([items, items]), ['a', 'b', 'c', 'a', 'b', 'c']), Array(6).fill(1));
  });
});

test('features that are all the same find nothing', () => {
  scope(() => {
    const same = nn.functional.normalize(ones([4, 2]));
    assert.deepEqual(ranks(same, same, ['a', 'b', 'c', 'd']), [4, 4, 4, 4]);
  });
});

test('recall is the share of ranks up to k, and the median lies between two middles', () => {
  assert.deepEqual(summariseRanks([1, 2, 5, 20]), {
    recall: [
      { k: 1, value: 0.25 },
      { k: 5, value: 0.75 },
      { k: 10, value: 0.75 },
    ],
    medianRank: 3.5,
  });
  assert.equal(summariseRanks([7, 1, 3]).medianRank, 3);
});
