import { adaptiveAvgPool3d, dropout, flatten, maxPool3d, relu, relu_ } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { type PerDimension, perDimension } from './conv.js';
import { Module } from './module.js';

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
}

/** In training sets a share `p` of the entries to zero and scales the others by 1 / (1 - p); else the identity. */
export class Dropout extends Module {
  readonly p: number;

  /** @param p probability of a zero, in [0, 1] (default 0.5) */
  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) {
      throw new RangeError(`dropout probability must lie in [0, 1], not ${p}`);
    }
    this.p = p;
  }

  override forward(x: Tensor): Tensor {
    return this.training && this.p > 0 ? dropout(x, this.p, { training: true }) : x;
  }
}

/** Average over windows chosen so that `[N, C, T, H, W]` becomes `[N, C, ...outputSize]`. */
export class AdaptiveAvgPool3d extends Module {
  readonly outputSize: readonly number[];

  constructor(outputSize: PerDimension) {
    super();
    this.outputSize = perDimension(outputSize, 3, 'outputSize');
  }

  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool3d(x, this.outputSize);
  }
}

export interface MaxPoolOptions {
  kernelSize: PerDimension;
  /** Default: the kernel size. */
  stride?: PerDimension;
  /** Default 0. */
  padding?: PerDimension;
  /** Default 1. */
  dilation?: PerDimension;
}

/** Maximum over windows of `[N, C, T, H, W]`. */
export class MaxPool3d extends Module {
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];

  constructor({ kernelSize, stride = kernelSize, padding = 0, dilation = 1 }: MaxPoolOptions) {
    super();
    this.kernelSize = perDimension(kernelSize, 3, 'kernelSize');
    this.stride = perDimension(stride, 3, 'stride');
    this.padding = perDimension(padding, 3, 'padding');
    this.dilation = perDimension(dilation, 3, 'dilation');
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, dilation } = this;
    return maxPool3d(x, this.kernelSize, { stride, padding, dilation });
  }
}

/** Joins all dimensions after the first: `[N, ...]` to `[N, features]`. */
export class Flatten extends Module {
  override forward(x: Tensor): Tensor {
    return flatten(x, { startDim: 1 });
  }
}
