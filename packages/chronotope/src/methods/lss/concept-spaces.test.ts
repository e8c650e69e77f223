import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualSeed, randn, scope } from '@chronotope/torch';
import { assertClose, readGolden } from '../../testing/golden.js';
import { type GoldenTensor, goldenTensor } from '../../testing/golden-tensors.js';
import { tinyLss } from '../../testing/tiny-lss.js';
import { ConceptSpaces, type ConceptVectors, meaninglessConcepts } from './concept-spaces.js';
import { newSelfDistillation } from './pipeline.js';

type Spec = Record<
  'W_category' | 'W_description_all' | 'W_description_averaged' | 'description_embeddings' | 'description_to_category',
  GoldenTensor
>;
const SPEC = readGolden<Spec>('lss/lss_losses_spec.json');

const vectors = () => ({
  categories: goldenTensor(SPEC.W_category),
  descriptions: goldenTensor(SPEC.description_embeddings).reshape([20, 10]),
  categoryOf: SPEC.description_to_category.data,
});

test("descriptions are scaled to length 1, and averaged for each category, as in the method note's values", () => {
  scope(() => {
    const close = { absolute: 2e-6, relative: 2e-6 };
    const all = new ConceptSpaces(vectors(), { descriptions: 'all', shuffle: false }, 1);
    assertClose(all.description!.axes, SPEC.W_description_all.data, close);
    assertClose(all.averaged!.axes, SPEC.W_description_averaged.data, close);
    const averaged = new ConceptSpaces(vectors(), { descriptions: 'averaged', shuffle: false }, 1);
    assertClose(averaged.description!.axes, SPEC.W_description_averaged.data, close);
    const scores = averaged.call(randn([2, 3, 10]));
    assert.deepEqual([...scores.category.shape, ...scores.averaged!.shape], [2, 3, 5, 2, 3, 5]);
    const none = new ConceptSpaces(vectors(), { descriptions: 'none', shuffle: false }, 1);
    assert.equal(none.call(randn([3, 10])).description, null);
  });
});

test('shuffling gives every category the descriptions of another one, the same ones with the same seed', () => {
  scope(() => {
    const plain = new ConceptSpaces(vectors(), { descriptions: 'averaged', shuffle: false }, 1);
    const shuffled = (seed: number) =>
      new ConceptSpaces(vectors(), { descriptions: 'averaged', shuffle: true }, seed).description!.axes;
    const similarity = shuffled(1).matmul(plain.description!.axes.transpose(0, 1));
    const matches = similarity.argmax(1).toArray() as number[];
    assert.deepEqual([...matches].sort(), [0, 1, 2, 3, 4]);
    assert.ok(matches.every((match, category) => Number(match) !== category));
    assert.ok(shuffled(1).equal(shuffled(1)));
  });
});

test('vectors without meaning: orthogonal ones are, random ones are not', () => {
  scope(() => {
    manualSeed(1);
    const gram = (source: 'random' | 'orthogonal') => {
      const made = meaninglessConcepts({ source, categories: 4, perCategory: 2 }, 8);
      const { axes } = new ConceptSpaces(made, { descriptions: 'none', shuffle: false }, 1).category;
      return axes.matmul(axes.transpose(0, 1));
    };
    const identity = [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => (row === column ? 1 : 0)));
    assertClose(gram('orthogonal'), identity, { absolute: 1e-5 });
    assert.ok(gram('random').sub(gram('orthogonal')).abs().max().item() > 0.05);
    assert.throws(() => meaninglessConcepts({ source: 'orthogonal', categories: 9, perCategory: 1 }, 8), {
      code: 'concepts-differ',
      hint: /at most 8/,
    });
  });
});

test('vectors that do not fit together, or not the network, are refused', () => {
  scope(() => {
    const averaged = { descriptions: 'averaged', shuffle: false } as const;
    const given = vectors();
    const cases: [Partial<ConceptVectors>, RegExp][] = [
      [{ descriptions: null }, /there are no descriptions/],
      [{ categoryOf: [0, 1] }, /20 descriptions, but categories of 2/],
      [{ descriptions: randn([20, 7]) }, /categories have 10 numbers each, descriptions 7/],
      [{ categoryOf: Array(20).fill(0) }, /category 1 has no description/],
      [{ categoryOf: [...Array(19).fill(0), 5] }, /belongs to category 5 of 5/],
    ];
    for (const [changes, message] of cases) {
      assert.throws(() => new ConceptSpaces({ ...given, ...changes }, averaged, 1), {
        code: 'concepts-differ',
        message,
      });
    }
    assert.throws(() => newSelfDistillation(tinyLss(), given), {
      code: 'concepts-differ',
      message: /concept vectors have 10 numbers, embeddings of the network 8/,
    });
  });
});
