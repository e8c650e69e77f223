import { nn, scope, type Tensor, tensor, zeros } from '@chronotope/torch';
import { ChronotopeError } from '../../errors.js';
import { type ConceptSpace, controlSpace } from '../../language/concept-space.js';
import { conceptScores } from '../../losses/concepts.js';
import type { LssRecipe } from '../../recipes/lss.js';

/**
 * The axes of a concept space in training, which nothing changes, and what the losses remember of earlier steps. All are
 * buffers, so that a run that is continued goes on with them.
 */
export class ConceptAxes extends nn.Module {
  /** `[N, E]`, rows of length 1. */
  readonly axes: Tensor;
  /** `[N]`, moving average of the teacher's scores. */
  readonly center: Tensor;
  /** `[N]`, moving average of the student's mean prediction. */
  readonly meanPrediction: Tensor;

  /** @param vectors `[N, E]`; they are scaled to length 1 */
  constructor(vectors: Tensor) {
    super();
    const size = vectors.shape[0]!;
    this.axes = this.registerBuffer('axes', nn.functional.normalize(vectors.to({ dtype: 'float32' }), { dim: -1 }));
    this.center = this.registerBuffer('center', zeros([size]));
    this.meanPrediction = this.registerBuffer('mean_prediction', zeros([size]));
  }

  /** Cosines `[..., N]` of embeddings `[..., E]` to the axes. */
  override forward(embeddings: Tensor): Tensor {
    return conceptScores(embeddings, this.axes);
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

/** The spaces of a run. */
export class ConceptSpaces extends nn.Module {
  readonly category: ConceptAxes;
  /** One axis a category (`averaged`) or a description (`all`). */
  readonly description: ConceptAxes | null;
  /** One axis a category, the mean of its descriptions; null where `description` has these axes. */
  readonly averaged: ConceptAxes | null;
  /** `[N_d]`: the category of each axis of `description`. */
  readonly categoryOf: Tensor | null;

  /** @throws ChronotopeError `concepts-differ` where descriptions are wanted and there are none */
  constructor(space: ConceptSpace, descriptions: LssRecipe['concepts']['descriptions']) {
    super();
    const { category, description, descriptions: sentences, classOf } = space;
    this.category = new ConceptAxes(category);
    if (descriptions === 'none') {
      this.description = this.averaged = this.categoryOf = null;
      return;
    }
    if (description === null || sentences === null) {
      throw new ChronotopeError('concepts-differ', 'the concepts have no descriptions', {
        hint: 'Make them from a list with descriptions (docs/language.md), or set concepts.descriptions=none.',
      });
    }
    const all = descriptions === 'all';
    this.description = new ConceptAxes(all ? sentences : description);
    this.averaged = all ? new ConceptAxes(description) : null;
    const categories = all ? classOf : [...Array(category.shape[0]!).keys()];
    this.categoryOf = this.registerBuffer('category_of', tensor([...categories], { dtype: 'int64' }));
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

/**
 * The concept spaces that a recipe describes.
 *
 * @param given embeddings of texts; null for concepts without meaning
 * @param embedding E of the network
 * @throws ChronotopeError `concepts-differ` for concepts of another size, or without the descriptions that are wanted
 */
export function conceptSpacesOf({ concepts, seed }: LssRecipe, given: ConceptSpace | null, embedding: number) {
  return scope(() => {
    const whole = given ?? blankSpace(concepts, embedding);
    const size = whole.category.shape[1]!;
    if (size !== embedding) {
      throw new ChronotopeError(
        'concepts-differ',
        `concept vectors have ${size} numbers, embeddings of the network ${embedding}`,
        { hint: 'Make the concept vectors with the text tower of the CLIP that the network starts from.' },
      );
    }
    const { control, descriptions } = concepts;
    return new ConceptSpaces(control === 'none' ? whole : controlSpace(whole, control, seed), descriptions);
  });
}

/** A space of the size that the recipe says, for a control to fill. */
function blankSpace({ categories, perCategory }: LssRecipe['concepts'], embedding: number): ConceptSpace {
  const classOf = Array.from({ length: categories * perCategory }, (_, k) => Math.floor(k / perCategory));
  const category = zeros([categories, embedding]);
  return {
    names: Array.from({ length: categories }, (_, k) => `${k + 1}`),
    sentences: classOf.map((index) => `${index + 1}`),
    ...{ category, description: category, descriptions: zeros([classOf.length, embedding]), classOf },
  };
}
