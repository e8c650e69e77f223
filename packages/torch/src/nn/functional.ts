import { cosineSimilarity as atenCosineSimilarity, silu } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';

export { type AttentionOptions, scaledDotProductAttention } from './attention.js';
export * from './loss-functions.js';

/** Settings of {@link normalize}. */
export interface NormalizeOptions {
  /** Order of the norm. Default 2. */
  p?: number;
  /** Dimension whose vectors get length 1. Default 1. */
  dim?: number;
  /** Least divisor, so that zero vectors stay zero. Default 1e-12. */
  eps?: number;
}

/** Divides every vector along `dim` by its p-norm. Same shape as the input. */
export function normalize(x: Tensor, { p = 2, dim = 1, eps = 1e-12 }: NormalizeOptions = {}): Tensor {
  return x.div(x.norm(p, dim, { keepdim: true }).clampMin(eps));
}

/** Settings of {@link cosineSimilarity}. */
export interface CosineSimilarityOptions {
  /** Dimension of the vectors. Default 1. */
  dim?: number;
  /** Least product of the norms. Default 1e-8. */
  eps?: number;
}

/** The cosine of the angle between the vectors along `dim`, which the result does not have; inputs are broadcast. */
export function cosineSimilarity(x1: Tensor, x2: Tensor, options: CosineSimilarityOptions = {}): Tensor {
  return atenCosineSimilarity(x1, x2, options);
}

/**
 * x * sigmoid(1.702 x): the approximation of the GELU that CLIP was trained with. Written with SiLU, whose backward pass is one
 * operator and keeps one tensor.
 */
export function quickGelu(x: Tensor): Tensor {
  return silu(x.mul(1.702)).div(1.702);
}
