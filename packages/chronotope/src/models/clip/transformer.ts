import { nn, type Tensor } from '@chronotope/torch';
import type { ClipActivation, TransformerShape } from './shape.js';

/**
 * CLIP's transformer: blocks in a row under the keys `resblocks.{i}.*`. Tokens are [N, L, D], batch first (OpenAI's code
 * has [L, N, D]; the weights are the same).
 */
export class ClipTransformer extends nn.Module {
  readonly resblocks: nn.ModuleList<ResidualAttentionBlock>;

  constructor(shape: TransformerShape, activation: ClipActivation) {
    super();
    this.resblocks = new nn.ModuleList(
      Array.from({ length: shape.layers }, () => new ResidualAttentionBlock(shape, activation)),
    );
  }

  /**
   * @param tokens [N, L, D]
   * @param attnMask [L, L], added to the attention scores; null to let every token look at every other
   * @returns [N, L, D]
   */
  override forward(tokens: Tensor, attnMask: Tensor | null = null): Tensor {
    let x = tokens;
    for (const block of this.resblocks) {
      const y = block.call(x, attnMask);
      if (x !== tokens) x.dispose();
      x = y;
    }
    return x;
  }
}

/**
 * x + attn(ln_1(x)), then x + mlp(ln_2(x)), the mlp four times as wide inside. Keys `attn.*`, `ln_1.*`, `mlp.c_fc.*`,
 * `mlp.c_proj.*` and `ln_2.*`, in OpenAI's order.
 */
export class ResidualAttentionBlock extends nn.Module {
  readonly attn: nn.MultiheadAttention;
  readonly ln_1: nn.LayerNorm;
  readonly mlp: ClipMlp;
  readonly ln_2: nn.LayerNorm;

  constructor(shape: TransformerShape, activation: ClipActivation) {
    super();
    const { width, heads } = shape;
    this.attn = new nn.MultiheadAttention(width, heads, { batchFirst: true });
    this.ln_1 = new nn.LayerNorm(width);
    this.mlp = new ClipMlp(width, activation);
    this.ln_2 = new nn.LayerNorm(width);
    initialiseBlock(this, shape);
  }

  override forward(x: Tensor, attnMask: Tensor | null = null): Tensor {
    const attended = x.add(this.attention(this.ln_1.call(x), attnMask));
    return attended.add(this.mlp.call(this.ln_2.call(attended)));
  }

  /** Self-attention alone, without norm and sum: tokens [N, L, D] to [N, L, D]. */
  attention(x: Tensor, attnMask: Tensor | null = null): Tensor {
    return this.attn.call(x, x, x, { attnMask, needWeights: false })[0];
  }
}

/** Linear(D, 4D), the activation, Linear(4D, D). */
export class ClipMlp extends nn.Module {
  readonly cFc: nn.Linear;
  readonly gelu: nn.QuickGELU | nn.GELU;
  readonly cProj: nn.Linear;

  constructor(width: number, activation: ClipActivation) {
    super();
    this.cFc = new nn.Linear(width, 4 * width);
    this.gelu = activation === 'quick-gelu' ? new nn.QuickGELU() : new nn.GELU();
    this.cProj = new nn.Linear(4 * width, width);
  }

  override forward(x: Tensor): Tensor {
    return nn.chain([this.cFc, this.gelu, this.cProj], x);
  }
}

/** Normal weights whose spread shrinks with width and depth, so that deep stacks start with sums of moderate size. */
function initialiseBlock({ attn, mlp }: ResidualAttentionBlock, { width, layers }: TransformerShape): void {
  const std = width ** -0.5;
  const outputStd = std * (2 * layers) ** -0.5;
  nn.init.normal_(attn.inProjWeight!, 0, std);
  nn.init.normal_(attn.outProj.weight, 0, outputStd);
  nn.init.normal_(mlp.cFc.weight, 0, (2 * width) ** -0.5);
  nn.init.normal_(mlp.cProj.weight, 0, outputStd);
}
