import type { Tensor } from '../tensor.js';
import { type CosineSimilarityOptions, cosineSimilarity } from './functional.js';
import * as losses from './loss-functions.js';
import { Module } from './module.js';

/** What the weighted losses share: the weights are a buffer, so that they move with the module. */
abstract class WeightedLoss extends Module {
  constructor({ weight }: { weight?: Tensor | null }) {
    super();
    if (weight) {
      this.registerBuffer('weight', weight);
    }
  }
}

/** {@link losses.crossEntropy} as a module. Buffer `weight` [C] if one is given. */
export class CrossEntropyLoss extends WeightedLoss {
  readonly options: losses.CrossEntropyOptions;

  constructor(options: losses.CrossEntropyOptions = {}) {
    super(options);
    this.options = options;
  }

  override forward(logits: Tensor, target: Tensor): Tensor {
    return losses.crossEntropy(logits, target, this.options);
  }
}

/** {@link losses.nllLoss} as a module. Buffer `weight` [C] if one is given. */
export class NLLLoss extends WeightedLoss {
  readonly options: losses.ClassLossOptions;

  constructor(options: losses.ClassLossOptions = {}) {
    super(options);
    this.options = options;
  }

  override forward(logProbabilities: Tensor, target: Tensor): Tensor {
    return losses.nllLoss(logProbabilities, target, this.options);
  }
}

/** {@link losses.binaryCrossEntropyWithLogits} as a module. Buffers `weight` and `pos_weight` if they are given. */
export class BCEWithLogitsLoss extends WeightedLoss {
  readonly options: losses.BinaryCrossEntropyOptions;

  constructor(options: losses.BinaryCrossEntropyOptions = {}) {
    super(options);
    this.options = options;
    if (options.posWeight) {
      this.registerBuffer('pos_weight', options.posWeight);
    }
  }

  override forward(logits: Tensor, target: Tensor): Tensor {
    return losses.binaryCrossEntropyWithLogits(logits, target, this.options);
  }
}

/** {@link losses.mseLoss} as a module. */
export class MSELoss extends Module {
  readonly options: losses.LossOptions;

  constructor(options: losses.LossOptions = {}) {
    super();
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return losses.mseLoss(input, target, this.options);
  }
}

/** {@link losses.l1Loss} as a module. */
export class L1Loss extends Module {
  readonly options: losses.LossOptions;

  constructor(options: losses.LossOptions = {}) {
    super();
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return losses.l1Loss(input, target, this.options);
  }
}

/** {@link losses.smoothL1Loss} as a module. */
export class SmoothL1Loss extends Module {
  readonly options: losses.SmoothL1Options;

  constructor(options: losses.SmoothL1Options = {}) {
    super();
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return losses.smoothL1Loss(input, target, this.options);
  }
}

/** {@link losses.huberLoss} as a module. */
export class HuberLoss extends Module {
  readonly options: losses.HuberOptions;

  constructor(options: losses.HuberOptions = {}) {
    super();
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return losses.huberLoss(input, target, this.options);
  }
}

/** {@link losses.klDiv} as a module. */
export class KLDivLoss extends Module {
  readonly options: losses.KlDivOptions;

  constructor(options: losses.KlDivOptions = {}) {
    super();
    this.options = options;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return losses.klDiv(input, target, this.options);
  }
}

/** {@link cosineSimilarity} as a module. */
export class CosineSimilarity extends Module {
  readonly options: CosineSimilarityOptions;

  constructor(options: CosineSimilarityOptions = {}) {
    super();
    this.options = options;
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, this.options);
  }
}

/** {@link losses.cosineEmbeddingLoss} as a module. */
export class CosineEmbeddingLoss extends Module {
  readonly options: losses.CosineEmbeddingOptions;

  constructor(options: losses.CosineEmbeddingOptions = {}) {
    super();
    this.options = options;
  }

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return losses.cosineEmbeddingLoss(input1, input2, target, this.options);
  }
}
