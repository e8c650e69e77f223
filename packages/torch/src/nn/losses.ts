import type { Tensor } from '../tensor.js';
import { type CosineSimilarityOptions, cosineSimilarity } from './functional.js';
import * as losses from './loss-functions.js';
import { Module } from './module.js';

/** A function of {@link losses} with its options, as a module. */
abstract class Loss<Options extends object> extends Module {
  readonly options: Partial<Options>;

  constructor(options: Partial<Options> = {}) {
    super();
    this.options = options;
  }
}

/** What the weighted losses share: the weights are a buffer, so that they move with the module. */
abstract class WeightedLoss<Options extends { weight?: Tensor | null }> extends Loss<Options> {
  constructor(options: Partial<Options> = {}) {
    super(options);
    if (options.weight) {
      this.registerBuffer('weight', options.weight);
    }
  }
}

/** {@link losses.crossEntropy} as a module. Buffer `weight` [C] if one is given. */
export class CrossEntropyLoss extends WeightedLoss<losses.CrossEntropyOptions> {
  override forward(logits: Tensor, target: Tensor): Tensor {
    return losses.crossEntropy(logits, target, this.options);
  }
}

/** {@link losses.nllLoss} as a module. Buffer `weight` [C] if one is given. */
export class NLLLoss extends WeightedLoss<losses.ClassLossOptions> {
  override forward(logProbabilities: Tensor, target: Tensor): Tensor {
    return losses.nllLoss(logProbabilities, target, this.options);
  }
}

/** {@link losses.binaryCrossEntropyWithLogits} as a module. Buffers `weight` and `pos_weight` if they are given. */
export class BCEWithLogitsLoss extends WeightedLoss<losses.BinaryCrossEntropyOptions> {
  constructor(options: losses.BinaryCrossEntropyOptions = {}) {
    super(options);
    if (options.posWeight) {
      this.registerBuffer('pos_weight', options.posWeight);
    }
  }

  override forward(logits: Tensor, target: Tensor): Tensor {
    return losses.binaryCrossEntropyWithLogits(logits, target, this.options);
  }
}

/** {@link losses.mseLoss} as a module. */
export class MSELoss extends Loss<losses.LossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return losses.mseLoss(input, target, this.options);
  }
}

/** {@link losses.l1Loss} as a module. */
export class L1Loss extends Loss<losses.LossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return losses.l1Loss(input, target, this.options);
  }
}

/** {@link losses.smoothL1Loss} as a module. */
export class SmoothL1Loss extends Loss<losses.SmoothL1Options> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return losses.smoothL1Loss(input, target, this.options);
  }
}

/** {@link losses.huberLoss} as a module. */
export class HuberLoss extends Loss<losses.HuberOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return losses.huberLoss(input, target, this.options);
  }
}

/** {@link losses.klDiv} as a module. */
export class KLDivLoss extends Loss<losses.KlDivOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return losses.klDiv(input, target, this.options);
  }
}

/** {@link cosineSimilarity} as a module. */
export class CosineSimilarity extends Loss<CosineSimilarityOptions> {
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, this.options);
  }
}

/** {@link losses.cosineEmbeddingLoss} as a module. */
export class CosineEmbeddingLoss extends Loss<losses.CosineEmbeddingOptions> {
  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return losses.cosineEmbeddingLoss(input1, input2, target, this.options);
  }
}
