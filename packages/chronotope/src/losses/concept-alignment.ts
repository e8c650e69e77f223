import { logSoftmax, type Tensor } from '@chronotope/torch';
import { LEAST_PROBABILITY } from './concepts.js';
import { crossViewCrossEntropy, crossViewSymmetricKL, type ViewPair, viewPairs } from './cross-view.js';

/**
 * How a distribution over descriptions becomes one over categories (LSS; the paper's form is not known, method note 2.5):
 *
 * - `aligned`: there is one description vector a category, so axis k means the same in both spaces
 * - `prob-sum`: the probabilities of a category's descriptions are added
 * - `mean-score`: the cosines of a category's descriptions are averaged before the softmax
 * - `similarity`: every description gives its probability to the categories it resembles
 */
export type AlignmentMode = 'aligned' | 'prob-sum' | 'mean-score' | 'similarity';

/** Descriptions seen as categories. */
export interface DescriptionAxes {
  mode: AlignmentMode;
  /** `[N_d, N_c]`, see {@link membership} and {@link similarityShares}; null for `aligned`. */
  toCategories: Tensor | null;
}

/**
 * Log-probabilities of categories that description scores stand for.
 *
 * @param scores `[..., N_d]` cosines
 * @returns `[..., N_c]`
 */
export function descriptionsAsCategories(
  scores: Tensor,
  temperature: number,
  { mode, toCategories }: DescriptionAxes,
): Tensor {
  switch (mode) {
    case 'aligned':
      return logSoftmax(scores.div(temperature), -1);
    case 'mean-score': {
      const descriptions = toCategories!.sum(0);
      return logSoftmax(scores.matmul(toCategories!).div(descriptions).div(temperature), -1);
    }
    case 'prob-sum':
    case 'similarity':
      return scores.div(temperature).softmax(-1).matmul(toCategories!).clamp({ min: LEAST_PROBABILITY }).log();
  }
}

/**
 * For `prob-sum` and `mean-score`: 1 where a description belongs to a category.
 *
 * @param categoryOf `[N_d]` int64
 * @param categories N_c; each has a description
 * @returns `[N_d, N_c]` float32
 */
export function membership(categoryOf: Tensor, categories: number): Tensor {
  return categoryOf.oneHot({ numClasses: categories }).to({ dtype: 'float32' });
}

/**
 * For `similarity`: the share of each category in each description, softmax over the categories of W_d W_cᵀ / τ_A.
 *
 * @param categories `[N_c, E]`, rows of length 1
 * @param descriptions `[N_d, E]`, rows of length 1
 * @param temperature τ_A
 * @returns `[N_d, N_c]`, rows of sum 1
 */
export function similarityShares(categories: Tensor, descriptions: Tensor, temperature: number): Tensor {
  return descriptions.matmul(categories.transpose(0, 1)).div(temperature).softmax(-1);
}

/** Log-probabilities of N_c categories from both spaces, `[views, B, N_c]` each. */
export interface BothSpaces {
  /** log p_c: from the category space. */
  category: Tensor;
  /** log r: from the description space, see {@link descriptionsAsCategories}. */
  description: Tensor;
}

/** Which space teaches the other. */
export type AlignmentDirection = 'both' | 'category-to-description' | 'description-to-category';

/** Settings of {@link conceptAlignment}. */
export interface AlignmentOptions {
  /** Default `both`, whose mean is taken. */
  direction?: AlignmentDirection;
  /** Default `cross-entropy`. */
  divergence?: 'cross-entropy' | 'symmetric-kl';
  /** Default: all pairs of different views. */
  pairs?: readonly ViewPair[];
}

/**
 * Concept alignment (LSS, method note 2.5): what the teacher sees of a video in one space, the student is to see from
 * another view in the other space.
 *
 *   CA = 1/|pairs| Σ_(i,j) mean_b ½ [ H(p_c^t(i), r^s(j)) + H(r^t(i), p_c^s(j)) ]
 *
 * @param teacher of the global views, without gradient
 * @param student of all views, the global ones first
 * @returns a scalar
 */
export function conceptAlignment(teacher: BothSpaces, student: BothSpaces, options: AlignmentOptions = {}): Tensor {
  const { direction = 'both', divergence = 'cross-entropy' } = options;
  const { pairs = viewPairs(teacher.category.shape[0]!, student.category.shape[0]!) } = options;
  const teach = (logTarget: Tensor, logPrediction: Tensor) =>
    divergence === 'cross-entropy'
      ? crossViewCrossEntropy(logTarget.exp(), logPrediction, pairs)
      : crossViewSymmetricKL(logTarget, logPrediction, pairs);
  const toDescription = () => teach(teacher.category, student.description);
  const toCategory = () => teach(teacher.description, student.category);
  switch (direction) {
    case 'both':
      return toDescription().add(toCategory()).div(2);
    case 'category-to-description':
      return toDescription();
    case 'description-to-category':
      return toCategory();
  }
}
