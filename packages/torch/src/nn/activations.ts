import {
  celu,
  elu,
  gelu,
  glu,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  mish,
  prelu,
  relu,
  relu_,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
} from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { quickGelu } from './functional.js';
import { constant_ } from './init.js';
import { Module } from './module.js';
import { emptyParameter, type Parameter } from './parameter.js';
import { pyFloat } from './repr.js';

/** max(x, 0), elementwise. */
export class ReLU extends Module {
  readonly inplace: boolean;

  /** @param options.inplace overwrite the input, which saves a copy (default false) */
  constructor({ inplace = false }: { inplace?: boolean } = {}) {
    super();
    this.inplace = inplace;
  }

  override forward(x: Tensor): Tensor {
    return this.inplace ? relu_(x) : relu(x);
  }

  override extraRepr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}

/** min(max(x, 0), 6). */
export class ReLU6 extends Module {
  override forward(x: Tensor): Tensor {
    return relu6(x);
  }
}

/** x, or negativeSlope * x where x is negative. */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  /** @param negativeSlope default 0.01 */
  constructor(negativeSlope = 0.01) {
    super();
    this.negativeSlope = negativeSlope;
  }

  override forward(x: Tensor): Tensor {
    return leakyRelu(x, { negativeSlope: this.negativeSlope });
  }

  override extraRepr(): string {
    return `negative_slope=${pyFloat(this.negativeSlope)}`;
  }
}

/** Leaky ReLU with a learnt slope (He et al., ICCV 2015). Key `weight`: [1], or [channels]. */
export class PReLU extends Module {
  readonly weight: Parameter;

  /**
   * @param options.numParameters 1 (default), or one slope per channel (dimension 1)
   * @param options.init the slopes at the start (default 0.25)
   */
  constructor({ numParameters = 1, init = 0.25 }: { numParameters?: number; init?: number } = {}) {
    super();
    this.weight = emptyParameter([numParameters]);
    constant_(this.weight, init);
  }

  override forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }

  override extraRepr(): string {
    return `num_parameters=${this.weight.numel}`;
  }
}

/** x, or alpha * (exp(x) - 1) where x is negative (Clevert et al., ICLR 2016). */
export class ELU extends Module {
  readonly alpha: number;

  /** @param alpha default 1 */
  constructor(alpha = 1) {
    super();
    this.alpha = alpha;
  }

  override forward(x: Tensor): Tensor {
    return elu(x, { alpha: this.alpha });
  }

  override extraRepr(): string {
    return `alpha=${pyFloat(this.alpha)}`;
  }
}

/** max(0, x) + min(0, alpha * (exp(x / alpha) - 1)): an ELU whose slope is continuous for every alpha. */
export class CELU extends Module {
  readonly alpha: number;

  /** @param alpha default 1 */
  constructor(alpha = 1) {
    super();
    this.alpha = alpha;
  }

  override forward(x: Tensor): Tensor {
    return celu(x, { alpha: this.alpha });
  }

  override extraRepr(): string {
    return `alpha=${pyFloat(this.alpha)}`;
  }
}

/** ELU scaled so that activations keep mean 0 and variance 1 (Klambauer et al., NeurIPS 2017). */
export class SELU extends Module {
  override forward(x: Tensor): Tensor {
    return selu(x);
  }
}

/** x * Φ(x) with the normal distribution function Φ (Hendrycks and Gimpel, 2016). */
export class GELU extends Module {
  readonly approximate: 'none' | 'tanh';

  /** @param options.approximate `none` (default) is exact, `tanh` the paper's approximation */
  constructor({ approximate = 'none' }: { approximate?: 'none' | 'tanh' } = {}) {
    super();
    this.approximate = approximate;
  }

  override forward(x: Tensor): Tensor {
    return gelu(x, { approximate: this.approximate });
  }

  override extraRepr(): string {
    return `approximate='${this.approximate}'`;
  }
}

/** x * sigmoid(1.702 x): the approximation of the GELU that CLIP was trained with. */
export class QuickGELU extends Module {
  override forward(x: Tensor): Tensor {
    return quickGelu(x);
  }
}

/** x * sigmoid(x), also called Swish. */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** x * tanh(softplus(x)). */
export class Mish extends Module {
  override forward(x: Tensor): Tensor {
    return mish(x);
  }
}

/** 1 / (1 + exp(-x)). */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** log(sigmoid(x)), without overflow. */
export class LogSigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return logSigmoid(x);
  }
}

/** relu6(x + 3) / 6. */
export class Hardsigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return hardsigmoid(x);
  }
}

/** x * relu6(x + 3) / 6. */
export class Hardswish extends Module {
  override forward(x: Tensor): Tensor {
    return hardswish(x);
  }
}

/** The hyperbolic tangent. */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** x limited to [minVal, maxVal]. */
export class Hardtanh extends Module {
  readonly minVal: number;
  readonly maxVal: number;

  /** Defaults: -1 and 1. */
  constructor({ minVal = -1, maxVal = 1 }: { minVal?: number; maxVal?: number } = {}) {
    super();
    this.minVal = minVal;
    this.maxVal = maxVal;
  }

  override forward(x: Tensor): Tensor {
    return hardtanh(x, { minVal: this.minVal, maxVal: this.maxVal });
  }

  override extraRepr(): string {
    return `min_val=${pyFloat(this.minVal)}, max_val=${pyFloat(this.maxVal)}`;
  }
}

/** log(1 + exp(beta * x)) / beta; x itself where beta * x exceeds the threshold. */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  /** Defaults: beta 1, threshold 20. */
  constructor({ beta = 1, threshold = 20 }: { beta?: number; threshold?: number } = {}) {
    super();
    this.beta = beta;
    this.threshold = threshold;
  }

  override forward(x: Tensor): Tensor {
    return softplus(x, { beta: this.beta, threshold: this.threshold });
  }

  override extraRepr(): string {
    return `beta=${this.beta}, threshold=${this.threshold}`;
  }
}

/** exp(x) / sum(exp(x)) along a dimension. */
export class Softmax extends Module {
  readonly dim: number;

  constructor(dim: number) {
    super();
    this.dim = dim;
  }

  override forward(x: Tensor): Tensor {
    return softmax(x, this.dim);
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/** log(softmax(x)) along a dimension, without overflow. */
export class LogSoftmax extends Module {
  readonly dim: number;

  constructor(dim: number) {
    super();
    this.dim = dim;
  }

  override forward(x: Tensor): Tensor {
    return logSoftmax(x, this.dim);
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/** The first half of a dimension times the sigmoid of the second half. */
export class GLU extends Module {
  readonly dim: number;

  /** @param dim default -1 */
  constructor(dim = -1) {
    super();
    this.dim = dim;
  }

  override forward(x: Tensor): Tensor {
    return glu(x, { dim: this.dim });
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}
