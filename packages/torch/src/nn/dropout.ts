import { ones } from '../creation.js';
import { TorchError } from '../errors.js';
import { dropout, featureDropout } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { Module } from './module.js';
import { pyFloat } from './repr.js';

abstract class DropoutBase extends Module {
  readonly p: number;

  /** @param p probability of a zero, in [0, 1] (default 0.5) */
  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) {
      throw new TorchError(`${new.target.name}: the probability of a zero must lie in [0, 1], not ${p}`, {
        code: 'argument',
      });
    }
    this.p = p;
  }

  override extraRepr(): string {
    return `p=${pyFloat(this.p)}, inplace=False`;
  }

  /** Whether anything is to be dropped now. */
  protected get active(): boolean {
    return this.training && this.p > 0;
  }
}

/** In training sets a share `p` of the entries to zero and scales the others by 1 / (1 - p); else the identity. */
export class Dropout extends DropoutBase {
  override forward(x: Tensor): Tensor {
    return this.active ? dropout(x, this.p, { training: true }) : x;
  }
}

/** As {@link Dropout}, but it keeps or drops whole channels (Tompson et al., CVPR 2015). */
abstract class ChannelDropout extends DropoutBase {
  protected abstract readonly dimensions: number;

  override forward(x: Tensor): Tensor {
    if (x.ndim !== this.dimensions) {
      throw new TorchError(`${this.constructor.name} takes inputs of ${this.dimensions} dimensions, not [${x.shape}]`, {
        code: 'argument',
        hint: 'the input is [batch, channels, ...]',
      });
    }
    return this.active ? featureDropout(x, this.p, { training: true }) : x;
  }
}

/** {@link ChannelDropout} of `[N, C, L]`. */
export class Dropout1d extends ChannelDropout {
  protected override readonly dimensions = 3;
}

/** {@link ChannelDropout} of `[N, C, H, W]`. */
export class Dropout2d extends ChannelDropout {
  protected override readonly dimensions = 4;
}

/** {@link ChannelDropout} of `[N, C, T, H, W]`. */
export class Dropout3d extends ChannelDropout {
  protected override readonly dimensions = 5;
}

/**
 * Stochastic depth (Huang et al., ECCV 2016), also called drop path: in training it sets whole samples of `[N, ...]` to zero
 * with probability p and scales the others by 1 / (1 - p). It stands at the end of a residual branch.
 */
export class StochasticDepth extends DropoutBase {
  override forward(x: Tensor): Tensor {
    if (!this.active) {
      return x;
    }
    const perSample = [x.shape[0]!, ...new Array<number>(x.ndim - 1).fill(1)];
    return x.mul(dropout(ones(perSample, { dtype: x.dtype, device: x.device }), this.p, { training: true }));
  }

  override extraRepr(): string {
    return `p=${pyFloat(this.p)}, mode=row`;
  }
}
