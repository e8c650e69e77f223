import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualSeed, randn, scope } from '@chronotope/torch';
import type { ClipLoader } from '../../data/loader.js';
import { ClipTokenizer } from '../../language/tokenizer.js';
import { tinyClipRecipe } from '../../testing/tiny-clip-recipe.js';
import { fit } from '../../training/fit.js';
import { newClip } from './pipeline.js';
import { captionRows, clipTraining } from './training.js';

const RECIPE = tinyClipRecipe('model.text.context=8', 'train.epochs=80');
const IDS = ['a', 'b', 'c', 'd'];
const VIDEOS = IDS.map((id, k) => {
  const text = ['one thing', 'another', 'the third of them', 'last'][k]!;
  return { id, path: id, label: null, split: 'train' as const, text };
});

/** Four images of noise, always the same, as a loader gives them. */
function loaderOf(): ClipLoader {
  manualSeed(3);
  const images = randn([4, 3, 1, 16, 16]);
  const loader = { videos: 4, stepBatch: () => ({ views: { clip: images.clone() }, labels: null, ids: IDS }) };
  return loader as unknown as ClipLoader;
}

test('four pictures learn which of four captions is theirs; the scale of the logits is kept below its limit', async () => {
  manualSeed(1);
  const clip = newClip(RECIPE);
  const { vocabulary, context } = RECIPE.model.text;
  const captions = captionRows(VIDEOS, new ClipTokenizer({ vocabulary }), context);
  const training = clipTraining(clip, loaderOf(), captions, {
    ...RECIPE,
    train: { ...RECIPE.train, largestScale: 10 },
  });
  const lines: Record<string, number>[] = [];
  await fit({ ...training, onMetrics: ({ metrics }) => lines.push(metrics) });
  const [first, last] = [lines[0]!, lines.at(-1)!];
  assert.equal(training.steps, 80);
  assert.ok(last.loss! < 0.1 && last.loss! < first.loss!, JSON.stringify(lines));
  assert.equal(last.matched, 1);
  // It starts at 1 / 0.07, which is more than this limit.
  assert.ok(first.scale! > 10 && lines.slice(1).every(({ scale }) => scale! <= 10.001), JSON.stringify(lines));
  clip.dispose();
});

test('only matrices are decayed', () => {
  const clip = newClip(RECIPE);
  const rows = captionRows(VIDEOS, new ClipTokenizer({ vocabulary: 1000 }), 8);
  const { optimizer } = clipTraining(clip, loaderOf(), rows, RECIPE);
  const [decayed, others] = optimizer.paramGroups as unknown as { params: { ndim: number }[]; weightDecay: number }[];
  assert.deepEqual([decayed!.weightDecay, others!.weightDecay], [0.1, 0]);
  assert.ok(decayed!.params.every(({ ndim }) => ndim >= 2) && others!.params.every(({ ndim }) => ndim < 2));
  assert.equal(decayed!.params.length + others!.params.length, clip.parameters().length);
  clip.dispose();
});

test('captions that are too long for a row are cut and keep their end token', () => {
  scope(() => {
    const tokenizer = new ClipTokenizer({ vocabulary: 1000 });
    const rows = captionRows([{ ...VIDEOS[0]!, text: 'a word '.repeat(5000) }], tokenizer, 8);
    const row = rows.get('a')!;
    assert.deepEqual([row.length, row[0], row[7]], [8, BigInt(tokenizer.start), BigInt(tokenizer.end)]);
  });
});
