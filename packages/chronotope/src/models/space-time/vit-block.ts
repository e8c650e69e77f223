import { nn, type Tensor } from '@chronotope/torch';
import { type Mixer, SelfAttention, type TokenGrid } from './attention.js';
import { type BlockBranches, dividedBlock, frozenBlock, plainBlock, type SpaceTimeBranches } from './wiring.js';

/** Settings of {@link ViTBlock}. */
export interface ViTBlockOptions {
  width: number;
  heads: number;
  /** Width of the hidden layer relative to that of the tokens. */
  mlpRatio: number;
  /** Probability that a branch is left out in training. */
  dropPath: number;
}

/** LayerNorm of the published vision transformers: 1e-6 where PyTorch's default is 1e-5. */
export function viTNorm(width: number): nn.LayerNorm {
  return new nn.LayerNorm(width, { eps: 1e-6 });
}

/** Linear, GELU, Linear. Keys `fc1.*`, `fc2.*`. */
class Mlp extends nn.Module {
  readonly fc1: nn.Linear;
  readonly fc2: nn.Linear;

  constructor(width: number, hidden: number) {
    super();
    this.fc1 = new nn.Linear(width, hidden);
    this.fc2 = new nn.Linear(hidden, width);
  }

  override forward(x: Tensor): Tensor {
    return this.fc2.call(this.fc1.call(x).gelu());
  }
}

/**
 * A block of a vision transformer in which all tokens attend to each other. timm's keys `norm1.*`, `attn.*`, `norm2.*`,
 * `mlp.*`.
 */
export class ViTBlock extends nn.Module implements BlockBranches {
  readonly norm1: nn.LayerNorm;
  readonly attn: SelfAttention;
  readonly norm2: nn.LayerNorm;
  readonly mlp: Mlp;
  readonly dropPath: nn.StochasticDepth;

  constructor({ width, heads, mlpRatio, dropPath }: ViTBlockOptions) {
    super();
    this.norm1 = viTNorm(width);
    this.attn = new SelfAttention(width, heads);
    this.norm2 = viTNorm(width);
    this.mlp = new Mlp(width, Math.round(mlpRatio * width));
    this.dropPath = new nn.StochasticDepth(dropPath);
  }

  /** Tokens `[N, L, D]` to the same shape. Blocks that look along time need to know which token is where. */
  override forward(x: Tensor, _grid: TokenGrid): Tensor {
    return plainBlock(this, x);
  }

  attendSpace(x: Tensor, mix?: Mixer): Tensor {
    return this.dropPath.call(this.attn.call(this.norm1.call(x), mix));
  }

  feedForward(x: Tensor): Tensor {
    return this.dropPath.call(this.mlp.call(this.norm2.call(x)));
  }
}

/**
 * {@link dividedBlock} of TimeSformer and SVT. Keys `temporal_norm1.*`, `temporal_attn.*` and `temporal_fc.*` besides; the
 * last starts at zero in every block, so that a network with an image model's weights begins as that image model.
 */
export class DividedViTBlock extends ViTBlock implements SpaceTimeBranches {
  readonly temporalNorm1: nn.LayerNorm;
  readonly temporalAttn: SelfAttention;
  readonly temporalFc: nn.Linear;

  constructor(options: ViTBlockOptions) {
    super(options);
    const { width, heads } = options;
    this.temporalNorm1 = viTNorm(width);
    this.temporalAttn = new SelfAttention(width, heads);
    this.temporalFc = new nn.Linear(width, width);
  }

  override forward(x: Tensor, grid: TokenGrid): Tensor {
    return dividedBlock(this, x, grid);
  }

  attendTime(x: Tensor, mix?: Mixer): Tensor {
    return this.temporalFc.call(this.dropPath.call(this.temporalAttn.call(this.temporalNorm1.call(x), mix)));
  }

  /** Starts attention over time from that over space. */
  copySpaceToTime(): void {
    this.temporalNorm1.loadStateDict(this.norm1.stateDict());
    this.temporalAttn.loadStateDict(this.attn.stateDict());
  }
}

/** {@link frozenBlock} of Frozen in Time. Keys `timeattn.*` and `norm3.*` besides. */
export class FrozenViTBlock extends ViTBlock implements SpaceTimeBranches {
  readonly timeattn: SelfAttention;
  readonly norm3: nn.LayerNorm;

  constructor(options: ViTBlockOptions) {
    super(options);
    this.timeattn = new SelfAttention(options.width, options.heads);
    this.norm3 = viTNorm(options.width);
  }

  override forward(x: Tensor, grid: TokenGrid): Tensor {
    return frozenBlock(this, x, grid);
  }

  attendTime(x: Tensor, mix?: Mixer): Tensor {
    return this.timeattn.call(this.norm3.call(x), mix);
  }
}
