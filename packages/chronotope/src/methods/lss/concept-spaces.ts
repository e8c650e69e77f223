import { nn, randn, type Tensor, tensor, zeros } from '@chronotope/torch';
import { ChronotopeError } from '../../errors.js';
import { conceptScores } from '../../losses/concepts.js';
import { randomStream } from '../../random.js';
import type { LssRecipe } from '../../recipes/lss.js';

/** Embeddings of texts, as they come from a text encoder. */
export interface ConceptVectors {
  /** `[N_c, E]`, one of each category. */
  categories: Tensor;
  /** `[N_d, E]`, or null where there are no descriptions. */
  descriptions: Tensor | null;
  /** For each description the number of its category; each category has one. */
  categoryOf: readonly number[];
}

/**
 * A concept space in training: its axes, which nothing changes, and what the losses remember of earlier steps. All are
 * buffers, so that a run that is continued goes on with them.
 */
export class ConceptSpace extends nn.Module {
  /** `[N, E]`, rows of length 1. */
  readonly #axes: Tensor;
  /** `[N]`, moving average of the teacher's scores. */
  readonly center: Tensor;
  /** `[N]`, moving average of the student's mean prediction. */
  readonly meanPrediction: Tensor;

  /** @param vectors `[N, E]`; they are scaled to length 1 */
  constructor(vectors: Tensor) {
    super();
    const size = vectors.shape[0]!;
    this.#axes = this.registerBuffer('axes', nn.functional.normalize(vectors.to({ dtype: 'float32' }), { dim: -1 }));
    this.center = this.registerBuffer('center', zeros([size]));
    this.meanPrediction = this.registerBuffer('mean_prediction', zeros([size]));
  }

  get axes(): Tensor {
    return this.#axes;
  }

  /** Cosines `[..., N]` of embeddings `[..., E]` to the axes. */
  override forward(embeddings: Tensor): Tensor {
    return conceptScores(embeddings, this.#axes);
  }
}

/** The spaces of a run. */
export class ConceptSpaces extends nn.Module {
  readonly category: ConceptSpace;
  /** One axis a category (`averaged`) or a description (`all`). */
  readonly description: ConceptSpace | null;
  /** One axis a category, the mean of its descriptions; the same as `description` where that is averaged. */
  readonly averaged: ConceptSpace | null;
  /** `[N_d]`: the category of each axis of `description`. */
  readonly categoryOf: Tensor | null;

  /** @throws ChronotopeError `concepts-differ` for descriptions that do not belong to the categories */
  constructor(
    vectors: ConceptVectors,
    settings: Pick<LssRecipe['concepts'], 'descriptions' | 'shuffle'>,
    seed: number,
  ) {
    super();
    this.category = new ConceptSpace(vectors.categories);
    const own = settings.descriptions === 'none' ? null : requireDescriptions(vectors);
    const categoryOf = settings.shuffle ? shuffled(vectors, seed) : [...vectors.categoryOf];
    const count = vectors.categories.shape[0]!;
    const averaged = own && new ConceptSpace(meanByCategory(own, categoryOf, count));
    this.description = own && settings.descriptions === 'all' ? new ConceptSpace(own) : averaged;
    this.averaged = averaged === this.description ? null : averaged;
    const axes = settings.descriptions === 'all' ? categoryOf : [...Array(count).keys()];
    this.categoryOf = own && this.registerBuffer('category_of', tensor(axes, { dtype: 'int64' }));
  }

  /** Scores of embeddings `[..., E]` in each space. */
  override forward(embeddings: Tensor): ConceptScores {
    const description = this.description?.call(embeddings) ?? null;
    return {
      category: this.category.call(embeddings),
      description,
      averaged: this.averaged?.call(embeddings) ?? description,
    };
  }
}

/** Cosines to the axes of each space. */
export interface ConceptScores {
  /** `[..., N_c]` */
  category: Tensor;
  /** `[..., N_d]` */
  description: Tensor | null;
  /** `[..., N_c]` */
  averaged: Tensor | null;
}

/** Vectors without meaning: `orthogonal` ones, or `random` directions. They come from libtorch's random numbers. */
export function meaninglessConcepts(
  { source, categories, perCategory }: Pick<LssRecipe['concepts'], 'source' | 'categories' | 'perCategory'>,
  embedding: number,
): ConceptVectors {
  const vectors = (count: number): Tensor => {
    if (source === 'random') return randn([count, embedding]);
    if (count <= embedding) return nn.init.orthogonal_(zeros([count, embedding]));
    throw new ChronotopeError('concepts-differ', `${count} vectors of ${embedding} numbers cannot be orthogonal`, {
      hint: `Use at most ${embedding} categories and descriptions, or concepts.source=random.`,
    });
  };
  const categoryOf = Array.from({ length: categories * perCategory }, (_, k) => Math.floor(k / perCategory));
  return { categories: vectors(categories), descriptions: vectors(categoryOf.length), categoryOf };
}

function requireDescriptions({ categories, descriptions, categoryOf }: ConceptVectors): Tensor {
  const fail = (problem: string) =>
    new ChronotopeError('concepts-differ', `the concept vectors cannot be used: ${problem}`, {
      hint: 'Make them again from one list of categories and their descriptions, or set concepts.descriptions=none.',
    });
  if (descriptions === null) throw fail('there are no descriptions');
  if (descriptions.shape[0] !== categoryOf.length) {
    throw fail(`${descriptions.shape[0]} descriptions, but categories of ${categoryOf.length}`);
  }
  if (descriptions.shape[1] !== categories.shape[1]) {
    throw fail(`categories have ${categories.shape[1]} numbers each, descriptions ${descriptions.shape[1]}`);
  }
  const count = categories.shape[0]!;
  const wrong = categoryOf.find((category) => !Number.isInteger(category) || category < 0 || category >= count);
  if (wrong !== undefined) throw fail(`a description belongs to category ${wrong} of ${count}`);
  const described = new Set(categoryOf);
  const empty = Array.from({ length: count }, (_, k) => k).find((category) => !described.has(category));
  if (empty !== undefined) throw fail(`category ${empty} has no description`);
  return descriptions;
}

/** Mean of the unit vectors of each category's descriptions, `[categories, E]`. */
function meanByCategory(descriptions: Tensor, categoryOf: readonly number[], categories: number): Tensor {
  const unit = nn.functional.normalize(descriptions.to({ dtype: 'float32' }), { dim: -1 });
  const index = tensor([...categoryOf], { dtype: 'int64' });
  // Their number is left out: what is made of them is scaled to length 1.
  return zeros([categories, unit.shape[1]!]).indexAdd(0, index, unit);
}

/** Every category's descriptions go to another category, the same one for all of them. */
function shuffled({ categories, categoryOf }: ConceptVectors, seed: number): number[] {
  const count = categories.shape[0]!;
  const random = randomStream(seed, 'shuffled descriptions');
  const order = random.permutation(count);
  const successor = new Map(order.map((category, place) => [category, order[(place + 1) % count]!]));
  return categoryOf.map((category) => successor.get(category)!);
}
