import { gelu, relu } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { MultiheadAttention } from './attention.js';
import { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { Module } from './module.js';
import { LayerNorm } from './normalisation.js';

/** Settings of {@link TransformerEncoderLayer}. */
export interface TransformerEncoderLayerOptions {
  /** Width of the hidden layer of the feed-forward part. Default 2048. */
  dimFeedforward?: number;
  /** Default 0.1. */
  dropout?: number;
  /** Default `relu`. */
  activation?: 'relu' | 'gelu';
  /** Default 1e-5. */
  layerNormEps?: number;
  /** Inputs and outputs are [N, L, E] instead of [L, N, E]. Default false, as in PyTorch. */
  batchFirst?: boolean;
  /** Normalise before attention and feed-forward and not after their residual sums. Default false. */
  normFirst?: boolean;
}

/** Masks of one call of {@link TransformerEncoderLayer}. */
export interface TransformerEncoderLayerCall {
  /** As `attnMask` of {@link MultiheadAttention}. */
  srcMask?: Tensor | null;
  /** As `keyPaddingMask` of {@link MultiheadAttention}. */
  srcKeyPaddingMask?: Tensor | null;
}

/**
 * Self-attention and a feed-forward network, each with a residual sum and layer normalisation (Vaswani et al., NeurIPS
 * 2017). Keys `self_attn.*`, `linear1.*`, `linear2.*`, `norm1.*`, `norm2.*`.
 */
export class TransformerEncoderLayer extends Module {
  readonly selfAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly normFirst: boolean;
  readonly #activation: (x: Tensor) => Tensor;

  constructor(embedDim: number, numHeads: number, options: TransformerEncoderLayerOptions = {}) {
    super();
    const { dimFeedforward = 2048, dropout = 0.1, layerNormEps: eps = 1e-5 } = options;
    const { activation = 'relu', batchFirst = false, normFirst = false } = options;
    this.selfAttn = new MultiheadAttention(embedDim, numHeads, { dropout, batchFirst });
    this.linear1 = new Linear(embedDim, dimFeedforward);
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, embedDim);
    this.norm1 = new LayerNorm(embedDim, { eps });
    this.norm2 = new LayerNorm(embedDim, { eps });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.normFirst = normFirst;
    this.#activation = activation === 'relu' ? (x) => relu(x) : (x) => gelu(x);
  }

  override forward(src: Tensor, call: TransformerEncoderLayerCall = {}): Tensor {
    if (this.normFirst) {
      const attended = src.add(this.#attend(this.norm1.call(src), call));
      return attended.add(this.#feedForward(this.norm2.call(attended)));
    }
    const attended = this.norm1.call(src.add(this.#attend(src, call)));
    return this.norm2.call(attended.add(this.#feedForward(attended)));
  }

  #attend(x: Tensor, { srcMask, srcKeyPaddingMask }: TransformerEncoderLayerCall): Tensor {
    const masks = { attnMask: srcMask, keyPaddingMask: srcKeyPaddingMask, needWeights: false };
    return this.dropout1.call(this.selfAttn.call(x, x, x, masks)[0]);
  }

  #feedForward(x: Tensor): Tensor {
    const hidden = this.dropout.call(this.#activation(this.linear1.call(x)));
    return this.dropout2.call(this.linear2.call(hidden));
  }
}
