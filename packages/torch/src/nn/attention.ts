import { arange, zeros } from '../creation.js';
import { TorchError } from '../errors.js';
import { dropout, linear } from '../generated/operators.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';
import { constant_, xavierUniform_ } from './init.js';
import { Linear } from './linear.js';
import { Module } from './module.js';
import { emptyParameter, filledParameter, type Parameter } from './parameter.js';

/** Settings of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /**
   * Broadcast to [..., L, S]. A bool mask is true where a query may look at a key (as in PyTorch's function of this name,
   * and the opposite of the masks of {@link MultiheadAttention}); a float mask is added to the scores.
   */
  attnMask?: Tensor | null;
  /** Share of the attention weights set to zero. Default 0. */
  dropoutP?: number;
  /** Let query i look at the keys 0 to i only. Default false. */
  isCausal?: boolean;
  /** Factor on the scores. Default 1 / sqrt(D). */
  scale?: number;
}

/**
 * softmax(scale * Q Kᵀ + mask) V (Vaswani et al., NeurIPS 2017, equation 1): query [..., L, D], key [..., S, D],
 * value [..., S, E] to [..., L, E].
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { attnMask = null, dropoutP = 0, isCausal = false, scale }: AttentionOptions = {},
): Tensor {
  return scope(() => {
    const allowed = isCausal ? causalMask(query, key) : null;
    const additive = [allowed, attnMask].flatMap((mask) =>
      mask === null ? [] : additiveMask(mask.dtype === 'bool' ? mask.logicalNot() : mask, query),
    );
    const weights = attentionWeights(query, key, { additive, scale });
    return dropout(weights, dropoutP, { training: dropoutP > 0 }).matmul(value);
  });
}

/** Settings of {@link MultiheadAttention}. */
export interface MultiheadAttentionOptions {
  /** Share of the attention weights that training sets to zero. Default 0. */
  dropout?: number;
  /** Add learnt offsets to the projections. Default true. */
  bias?: boolean;
  /** Width of the keys. Default embedDim. */
  kdim?: number;
  /** Width of the values. Default embedDim. */
  vdim?: number;
  /** Inputs and outputs are [N, L, E] instead of [L, N, E]. Default false, as in PyTorch. */
  batchFirst?: boolean;
}

/** Masks and switches of one call of {@link MultiheadAttention}. */
export interface MultiheadAttentionCall {
  /** Keys to leave out, [N, S]: true where a key is padding; a float mask is added to the scores. */
  keyPaddingMask?: Tensor | null;
  /** [L, S] or [N * heads, L, S]: true where a query may *not* look at a key; a float mask is added to the scores. */
  attnMask?: Tensor | null;
  /** Return the attention weights too. Default true, as in PyTorch; without them less memory is needed. */
  needWeights?: boolean;
  /** Return the mean of the heads' weights, [N, L, S], and not [N, heads, L, S]. Default true. */
  averageAttnWeights?: boolean;
}

/**
 * Multi-head attention (Vaswani et al., NeurIPS 2017). Keys `in_proj_weight` [3E, E] (or, where keys or values have a
 * width of their own, `q_proj_weight`, `k_proj_weight` and `v_proj_weight`), `in_proj_bias` [3E], `out_proj.weight`,
 * `out_proj.bias`.
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly inProjWeight: Parameter | null;
  readonly qProjWeight: Parameter | null;
  readonly kProjWeight: Parameter | null;
  readonly vProjWeight: Parameter | null;
  readonly inProjBias: Parameter | null;
  readonly outProj: Linear;

  /** @throws TorchError `argument` if the width is not a multiple of the number of heads */
  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const { dropout = 0, bias = true, kdim = embedDim, vdim = embedDim, batchFirst = false } = options;
    if (embedDim % numHeads !== 0) {
      throw new TorchError(`MultiheadAttention: the width ${embedDim} does not divide into ${numHeads} heads`, {
        code: 'argument',
      });
    }
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    const packed = kdim === embedDim && vdim === embedDim;
    this.inProjWeight = packed ? emptyParameter([3 * embedDim, embedDim]) : null;
    this.qProjWeight = packed ? null : emptyParameter([embedDim, embedDim]);
    this.kProjWeight = packed ? null : emptyParameter([embedDim, kdim]);
    this.vProjWeight = packed ? null : emptyParameter([embedDim, vdim]);
    this.inProjBias = bias ? filledParameter([3 * embedDim], 0) : null;
    this.outProj = new Linear(embedDim, embedDim, { bias });
    for (const weight of [this.inProjWeight, this.qProjWeight, this.kProjWeight, this.vProjWeight]) {
      if (weight) {
        xavierUniform_(weight);
      }
    }
    if (this.outProj.bias) {
      constant_(this.outProj.bias, 0);
    }
  }

  /**
   * @param query [N, L, E] with batchFirst, else [L, N, E]
   * @param key [N, S, kdim] or [S, N, kdim]
   * @param value [N, S, vdim] or [S, N, vdim]
   * @returns the output, shaped as the query, and the attention weights or null
   */
  override forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    { keyPaddingMask, attnMask, needWeights = true, averageAttnWeights = true }: MultiheadAttentionCall = {},
  ): [output: Tensor, weights: Tensor | null] {
    const [q, k, v] = this.#project(query, key, value).map((projected) => this.#splitHeads(projected));
    const [batch, , queries] = q!.shape as [number, number, number, number];
    const keys = k!.shape[2]!;
    const additive: Tensor[] = [];
    if (attnMask) {
      additive.push(this.#spreadAttnMask(additiveMask(attnMask, q!), [batch, queries, keys]));
    }
    if (keyPaddingMask) {
      assertMask('keyPaddingMask', keyPaddingMask, [[batch, keys]]);
      additive.push(additiveMask(keyPaddingMask, q!).view([batch, 1, 1, keys]));
    }
    const weights = attentionWeights(q!, k!, { additive });
    const attended = (this.training ? dropout(weights, this.dropout) : weights).matmul(v!);
    const output = this.outProj.call(attended.transpose(1, 2).reshape([batch, queries, this.embedDim]));
    const shown = averageAttnWeights ? () => weights.mean(1) : () => weights;
    return [this.batchFirst ? output : output.transpose(0, 1), needWeights ? shown() : null];
  }

  /** Queries, keys and values [N, L or S, E], batch first. */
  #project(query: Tensor, key: Tensor, value: Tensor): Tensor[] {
    this.#assertShapes(query, key, value);
    const batchFirst = (x: Tensor) => (this.batchFirst ? x : x.transpose(0, 1));
    if (this.inProjWeight && query === key && key === value) {
      return linear(batchFirst(query), this.inProjWeight, { bias: this.inProjBias }).chunk(3, { dim: -1 });
    }
    const weights = this.inProjWeight?.chunk(3) ?? [this.qProjWeight!, this.kProjWeight!, this.vProjWeight!];
    const biases = this.inProjBias?.chunk(3);
    return [query, key, value].map((x, i) => linear(batchFirst(x), weights[i]!, { bias: biases?.[i] ?? null }));
  }

  /** [N, L, E] to [N, heads, L, E / heads]. */
  #splitHeads(x: Tensor): Tensor {
    return x.unflatten(-1, [this.numHeads, -1]).transpose(1, 2);
  }

  /** A mask [L, S] or [N * heads, L, S] so that it broadcasts to [N, heads, L, S]. */
  #spreadAttnMask(mask: Tensor, [batch, queries, keys]: readonly [number, number, number]): Tensor {
    const shared = [queries, keys];
    const perHead = [batch * this.numHeads, queries, keys];
    assertMask('attnMask', mask, [shared, perHead]);
    return mask.ndim === 2 ? mask : mask.view([batch, this.numHeads, queries, keys]);
  }

  #assertShapes(query: Tensor, key: Tensor, value: Tensor): void {
    const [batchAxis, lengthAxis] = this.batchFirst ? [0, 1] : [1, 0];
    const problem = [query, key, value].some((x) => x.ndim !== 3)
      ? 'query, key and value need 3 dimensions'
      : new Set([query, key, value].map((x) => x.shape[batchAxis])).size > 1
        ? 'query, key and value need one batch size'
        : key.shape[lengthAxis] !== value.shape[lengthAxis]
          ? 'there must be as many keys as values'
          : null;
    if (problem !== null) {
      const layout = this.batchFirst ? '[N, L, E] (batchFirst)' : '[L, N, E]';
      throw new TorchError(
        `MultiheadAttention: ${problem}; query [${query.shape}], key [${key.shape}], value [${value.shape}]`,
        { code: 'argument', hint: `the inputs are ${layout}` },
      );
    }
  }
}

/** softmax(scale * Q Kᵀ + masks), [..., L, S]. */
function attentionWeights(
  query: Tensor,
  key: Tensor,
  { additive, scale = 1 / Math.sqrt(query.shape.at(-1)!) }: { additive: readonly Tensor[]; scale?: number },
): Tensor {
  const scores = query.mul(scale).matmul(key.transpose(-2, -1));
  return additive.reduce((sum, mask) => sum.add(mask), scores).softmax(-1);
}

/** A mask that is added to the scores, from one that is true where nothing may be looked at (or is additive already). */
function additiveMask(mask: Tensor, { dtype, device }: Tensor): Tensor {
  return mask.dtype === 'bool' ? zeros(mask.shape, { dtype, device }).maskedFill(mask, -Infinity) : mask.to({ dtype });
}

/** [L, S], true where key j <= query i. */
function causalMask(query: Tensor, key: Tensor): Tensor {
  const { device } = query;
  const rows = arange(query.shape.at(-2)!, undefined, { device }).unsqueeze(1);
  return arange(key.shape.at(-2)!, undefined, { device }).le(rows);
}

function assertMask(name: string, { shape }: Tensor, allowed: readonly (readonly number[])[]): void {
  if (!allowed.some((sizes) => sizes.join() === shape.join())) {
    const expected = allowed.map((sizes) => `[${sizes}]`).join(' or ');
    throw new TorchError(`MultiheadAttention: ${name} has shape [${shape}], but ${expected} is needed`, {
      code: 'argument',
    });
  }
}
