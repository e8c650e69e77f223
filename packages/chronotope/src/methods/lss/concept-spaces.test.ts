import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randn, scope } from '@chronotope/torch';
import type { ConceptSpace } from '../../language/concept-space.js';
import type { LssRecipe } from '../../recipes/lss.js';
import { assertClose, readGolden } from '../../testing/golden.js';
import { type GoldenTensor, goldenTensor } from '../../testing/golden-tensors.js';
import { tinyLss } from '../../testing/tiny-lss.js';
import { ConceptSpaces, conceptSpacesOf } from './concept-spaces.js';
import { newSelfDistillation } from './pipeline.js';

type Spec = Record<
  'W_category' | 'W_description_all' | 'W_description_averaged' | 'description_embeddings' | 'description_to_category',
  GoldenTensor
>;
const SPEC = readGolden<Spec>('lss/lss_losses_spec.json');

const space = (): ConceptSpace => ({
  names: ['a', 'b', 'c', 'd', 'e'],
  sentences: Array(20).fill(''),
  category: goldenTensor(SPEC.W_category),
  description: goldenTensor(SPEC.W_description_averaged).mul(3),
  descriptions: goldenTensor(SPEC.description_embeddings).reshape([20, 10]),
  classOf: SPEC.description_to_category.data,
});

test("axes have length 1 and are those of the method note's values, averaged or one for each description", () => {
  scope(() => {
    const close = { absolute: 2e-6, relative: 2e-6 };
    const all = new ConceptSpaces(space(), 'all');
    assertClose(all.description!.axes, SPEC.W_description_all.data, close);
    assertClose(all.averaged!.axes, SPEC.W_description_averaged.data, close);
    assertClose(all.categoryOf!, SPEC.description_to_category.data);
    const averaged = new ConceptSpaces(space(), 'averaged');
    assertClose(averaged.description!.axes, SPEC.W_description_averaged.data, close);
    assertClose(averaged.categoryOf!, [0, 1, 2, 3, 4]);
    const scores = averaged.call(randn([2, 3, 10]));
    assert.deepEqual([...scores.category.shape, ...scores.averaged!.shape], [2, 3, 5, 2, 3, 5]);
    assert.equal(new ConceptSpaces(space(), 'none').call(randn([3, 10])).description, null);
  });
});

test('without a file vectors have no meaning: orthogonal ones, or random ones, the same with the same seed', () => {
  scope(() => {
    const axes = (overrides: string[]) => {
      const recipe = tinyLss(['concepts.categories=4', 'concepts.perCategory=2', ...overrides]);
      return conceptSpacesOf(recipe, null, 8);
    };
    const gram = (control: string) => {
      const { category } = axes([`concepts.control=${control}`]);
      return category.axes.matmul(category.axes.transpose(0, 1));
    };
    const identity = [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => (row === column ? 1 : 0)));
    assertClose(gram('orthogonal'), identity, { absolute: 1e-5 });
    assert.ok(gram('random').sub(gram('orthogonal')).abs().max().item() > 0.05);
    assert.ok(gram('random').equal(gram('random')));
    assert.deepEqual([...axes(['concepts.descriptions=all']).description!.axes.shape], [8, 8]);
  });
});

test('a control takes the meaning out of given vectors', () => {
  scope(() => {
    const recipe = (control: string) => ({ ...tinyLss(), concepts: { ...tinyLss().concepts, control } }) as LssRecipe;
    const similarity = (control: string) =>
      conceptSpacesOf(recipe(control), space(), 10)
        .description!.axes.mul(new ConceptSpaces(space(), 'averaged').description!.axes)
        .sum(1)
        .toArray() as number[];
    assertClose(similarity('none')[0]!, 1, { absolute: 1e-5 });
    assert.ok(similarity('shuffled').some((cosine) => cosine < 0.99));
    assert.ok(similarity('random').every((cosine) => cosine < 0.99));
  });
});

test('vectors that do not fit the network, or lack the descriptions that are wanted, are refused', () => {
  scope(() => {
    const without = { ...space(), description: null, descriptions: null };
    assert.throws(() => new ConceptSpaces(without, 'averaged'), {
      code: 'concepts-differ',
      message: /no descriptions/,
    });
    const recipe = { ...tinyLss(), concepts: { ...tinyLss().concepts, control: 'none' as const } };
    assert.throws(() => newSelfDistillation(recipe, space()), {
      code: 'concepts-differ',
      message: /concept vectors have 10 numbers, embeddings of the network 8/,
    });
  });
});
