import { crossEntropyLoss } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';

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

export interface CrossEntropyOptions {
  /** Weight of each class, [C]. */
  weight?: Tensor;
  /** Average (default), sum, or one loss per item. */
  reduction?: 'none' | 'mean' | 'sum';
  /** Share of the target spread evenly over the classes. Default 0. */
  labelSmoothing?: number;
}

/** Cross-entropy of logits [N, C] with class indices [N] (int64) or class probabilities [N, C]; in nats. */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  return crossEntropyLoss(logits, target, options);
}
