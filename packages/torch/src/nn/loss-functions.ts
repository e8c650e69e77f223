import { TorchError } from '../errors.js';
import {
  binaryCrossEntropyWithLogits as atenBinaryCrossEntropyWithLogits,
  cosineEmbeddingLoss as atenCosineEmbeddingLoss,
  huberLoss as atenHuberLoss,
  klDiv as atenKlDiv,
  l1Loss as atenL1Loss,
  mseLoss as atenMseLoss,
  smoothL1Loss as atenSmoothL1Loss,
  crossEntropyLoss,
  nllLossNd,
} from '../generated/operators.js';
import type { Reduction, Tensor } from '../tensor.js';

/** Settings of every loss. */
export interface LossOptions {
  /** Average over the elements (default), their sum, or one loss per element. */
  reduction?: Reduction;
}

/** Settings of the losses over classes. */
export interface ClassLossOptions extends LossOptions {
  /** Weight of each class, [C]; the mean is then weighted too. */
  weight?: Tensor | null;
  /** Targets with this index count for nothing. Only with class indices. Default -100. */
  ignoreIndex?: number;
}

/** Settings of {@link crossEntropy}. */
export interface CrossEntropyOptions extends ClassLossOptions {
  /** Share of the target that is spread evenly over the classes (Szegedy et al., CVPR 2016). Default 0. */
  labelSmoothing?: number;
}

/**
 * Cross-entropy of logits `[N, C]` or `[N, C, ...]` with class indices `[N, ...]` (int64) or with class probabilities of
 * the logits' shape; in nats.
 */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  return crossEntropyLoss(logits, target, options);
}

/** Negative log-likelihood of log-probabilities `[N, C, ...]` and class indices `[N, ...]` (int64). */
export function nllLoss(logProbabilities: Tensor, target: Tensor, options: ClassLossOptions = {}): Tensor {
  return nllLossNd(logProbabilities, target, options);
}

/** Settings of {@link binaryCrossEntropy}. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Weight of every element, broadcast to the shape of the logits. */
  weight?: Tensor | null;
  /** Weight of the positive answers of each class, broadcast to the shape of the logits. */
  posWeight?: Tensor | null;
}

/** Cross-entropy of independent yes/no answers: logits and targets in [0, 1] of one shape; without overflow. */
export function binaryCrossEntropyWithLogits(
  logits: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  assertSameShape('binaryCrossEntropyWithLogits', logits, target);
  return atenBinaryCrossEntropyWithLogits(logits, target, options);
}

/** Squared error, elementwise. */
export function mseLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  assertSameShape('mseLoss', input, target);
  return atenMseLoss(input, target, options);
}

/** Absolute error, elementwise. */
export function l1Loss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  assertSameShape('l1Loss', input, target);
  return atenL1Loss(input, target, options);
}

/** Settings of {@link smoothL1Loss}. */
export interface SmoothL1Options extends LossOptions {
  /** Where the loss turns from squared to absolute. Default 1. */
  beta?: number;
}

/** d² / (2 beta) for errors d below beta, else d - beta / 2 (Girshick, ICCV 2015). */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  assertSameShape('smoothL1Loss', input, target);
  return atenSmoothL1Loss(input, target, options);
}

/** Settings of {@link huberLoss}. */
export interface HuberOptions extends LossOptions {
  /** Where the loss turns from squared to absolute. Default 1. */
  delta?: number;
}

/** d² / 2 for errors d below delta, else delta * (d - delta / 2). */
export function huberLoss(input: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  assertSameShape('huberLoss', input, target);
  return atenHuberLoss(input, target, options);
}

/** Settings of {@link klDiv}. */
export interface KlDivOptions {
  /**
   * `batchmean`: the sum over the batch's size, which is the divergence itself; `mean` (default, as in PyTorch) divides by
   * the number of elements.
   */
  reduction?: Reduction | 'batchmean';
  /** The target holds log-probabilities as well. Default false. */
  logTarget?: boolean;
}

/** Kullback-Leibler divergence of the target from the input: input log-probabilities, target probabilities, one shape. */
export function klDiv(
  input: Tensor,
  target: Tensor,
  { reduction = 'mean', logTarget = false }: KlDivOptions = {},
): Tensor {
  assertSameShape('klDiv', input, target);
  if (reduction !== 'batchmean') {
    return atenKlDiv(input, target, { reduction, logTarget });
  }
  return atenKlDiv(input, target, { reduction: 'sum', logTarget }).div(input.shape[0] ?? 1);
}

/** Settings of {@link cosineEmbeddingLoss}. */
export interface CosineEmbeddingOptions extends LossOptions {
  /** Cosine that different pairs may have without a loss. Default 0. */
  margin?: number;
}

/** 1 - cos for pairs with target 1 and max(0, cos - margin) for those with -1; inputs [N, D], target [N]. */
export function cosineEmbeddingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: CosineEmbeddingOptions = {},
): Tensor {
  assertSameShape('cosineEmbeddingLoss', input1, input2);
  return atenCosineEmbeddingLoss(input1, input2, target, options);
}

/** libtorch would broadcast: predictions [N, 1] and targets [N] would give N x N errors without a word. */
function assertSameShape(loss: string, input: Tensor, target: Tensor): void {
  const same = input.ndim === target.ndim && input.shape.every((size, axis) => size === target.shape[axis]);
  if (!same) {
    throw new TorchError(`${loss}: input of shape [${input.shape}], but target of shape [${target.shape}]`, {
      code: 'argument',
      hint: 'both need one shape; use squeeze, unsqueeze or expand to say what is meant',
    });
  }
}
