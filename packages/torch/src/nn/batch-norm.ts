import { ones, zeros } from '../creation.js';
import { TorchError } from '../errors.js';
import { batchNorm } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { Module } from './module.js';
import { filledParameter, type Parameter } from './parameter.js';
import { pyBool, pyFloat } from './repr.js';

/** Settings of the batch normalisations. */
export interface BatchNormOptions {
  /** Added to the variance before the root. Default 1e-5. */
  eps?: number;
  /** Share of a new batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Learn a gain and an offset per channel. Default true. */
  affine?: boolean;
}

/**
 * Batch normalisation (Ioffe and Szegedy, ICML 2015) over all dimensions but the channels (dimension 1). In training
 * it uses the batch's statistics and updates the running ones (variance unbiased there); in evaluation it uses the
 * running ones. Keys `weight`, `bias`, `running_mean`, `running_var` [C] and `num_batches_tracked` (int64, []).
 */
export abstract class BatchNorm extends Module {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  readonly numBatchesTracked: Tensor;
  readonly eps: number;
  readonly momentum: number;
  /** Whether the convolution before it does its work; see `foldBatchNorm`. It then hands on what it is given. */
  folded = false;
  protected abstract readonly dimensions: readonly number[];

  constructor(features: number, { eps = 1e-5, momentum = 0.1, affine = true }: BatchNormOptions = {}) {
    super();
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? filledParameter([features], 1) : null;
    this.bias = affine ? filledParameter([features], 0) : null;
    this.runningMean = this.registerBuffer('running_mean', zeros([features]));
    this.runningVar = this.registerBuffer('running_var', ones([features]));
    this.numBatchesTracked = this.registerBuffer('num_batches_tracked', zeros([], { dtype: 'int64' }));
  }

  override forward(x: Tensor): Tensor {
    if (!this.dimensions.includes(x.ndim)) {
      throw new TorchError(
        `${this.constructor.name} takes inputs of ${this.dimensions.join(' or ')} dimensions, not [${x.shape}]`,
        { code: 'argument', hint: 'the input is [batch, channels, ...]' },
      );
    }
    if (this.folded) {
      return this.handOn(x);
    }
    if (this.training) {
      this.numBatchesTracked.add_(1);
    }
    return batchNorm(
      x,
      this.weight,
      this.bias,
      this.runningMean,
      this.runningVar,
      this.training,
      this.momentum,
      this.eps,
      true,
    );
  }

  private handOn(x: Tensor): Tensor {
    if (!this.training) return x;
    throw new TorchError(`${this.constructor.name} was folded into a convolution and cannot be trained`, {
      code: 'argument',
      hint: 'load the weights into a new network to train it',
    });
  }

  override extraRepr(): string {
    const { eps, momentum, weight } = this;
    const settings = `eps=${pyFloat(eps)}, momentum=${pyFloat(momentum)}, affine=${pyBool(weight !== null)}`;
    return `${this.runningMean.numel}, ${settings}, track_running_stats=True`;
  }
}

/** {@link BatchNorm} of `[N, C]` or `[N, C, L]`. */
export class BatchNorm1d extends BatchNorm {
  protected override readonly dimensions = [2, 3];
}

/** {@link BatchNorm} of `[N, C, H, W]`. */
export class BatchNorm2d extends BatchNorm {
  protected override readonly dimensions = [4];
}

/** {@link BatchNorm} of `[N, C, T, H, W]`. */
export class BatchNorm3d extends BatchNorm {
  protected override readonly dimensions = [5];
}
