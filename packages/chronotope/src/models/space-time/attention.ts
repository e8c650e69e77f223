import { cat, linear, nn, stack, type Tensor } from '@chronotope/torch';

/** Combines queries `[..., heads, L, d]` with keys and values `[..., heads, S, d]` to `[..., heads, L, d]`. */
export type Mixer = (query: Tensor, key: Tensor, value: Tensor) => Tensor;

/** Every token attends to every token. */
export const mixAll: Mixer = (query, key, value) => {
  const isFew = query.device === 'cpu' && key.shape.at(-2)! <= FEW_TOKENS;
  return isFew ? mixFew(query, key, value) : nn.functional.scaledDotProductAttention(query, key, value);
};

/** Up to so many tokens, such as the frames at one place, {@link mixFew} is not slower on a processor; with 8 it is. */
const FEW_TOKENS = 4;

/**
 * The same for few tokens of many items, key by key with elementwise operations: without a library for batches libtorch
 * multiplies the small matrices of all items and heads one by one, and spends more time on starting than on multiplying.
 */
export const mixFew: Mixer = (query, key, value) => {
  const scaled = query.mul(query.shape.at(-1)! ** -0.5);
  const tokens = [...Array(key.shape.at(-2)!).keys()];
  const scores = tokens.map((token) => scaled.mul(key.narrow(-2, token, 1)).sum(-1));
  const weights = stack(scores, { dim: -1 }).softmax(-1);
  return tokens
    .map((token) => weights.narrow(-1, token, 1).mul(value.narrow(-2, token, 1)))
    .reduce((sum, term) => sum.add(term));
};

/** Multi-head self-attention with timm's keys `qkv.*` and `proj.*`. */
export class SelfAttention extends nn.Module {
  readonly qkv: nn.Linear;
  readonly proj: nn.Linear;

  constructor(
    width: number,
    readonly heads: number,
  ) {
    super();
    this.qkv = new nn.Linear(width, 3 * width);
    this.proj = new nn.Linear(width, width);
  }

  /** `[N, L, D]` to `[N, L, D]`. */
  override forward(x: Tensor, mix: Mixer = mixAll): Tensor {
    return this.proj.call(mixHeads(this.qkv.call(x), this.heads, mix));
  }
}

/** PyTorch's multi-head self-attention with a choice of who attends to whom: `[N, L, D]` to `[N, L, D]`. */
export function selfAttention(attn: nn.MultiheadAttention, x: Tensor, mix: Mixer = mixAll): Tensor {
  const qkv = linear(x, attn.inProjWeight!, { bias: attn.inProjBias });
  return attn.outProj.call(mixHeads(qkv, attn.numHeads, mix));
}

/** `[N, L, 3D]` (queries, keys, values; by head within each) to `[N, L, D]`. */
function mixHeads(qkv: Tensor, heads: number, mix: Mixer): Tensor {
  const [query, key, value] = qkv.unflatten(-1, [3, heads, -1]).permute([2, 0, 3, 1, 4]).unbind();
  return mix(query!, key!, value!).transpose(1, 2).flatten({ startDim: 2 });
}

/** How many frames and how many patches a frame the tokens of a clip stand for. */
export interface TokenGrid {
  frames: number;
  patches: number;
}

/**
 * The attention of Frozen in Time (Bain et al., ICCV 2021): the class token attends to all tokens, a patch to the class
 * token and to the patches of its frame (`space`) or of its place in all frames (`time`).
 *
 * Tokens are in the order class token, patches of the first frame, of the second, …
 */
export function mixAlong(axis: 'space' | 'time', { frames, patches }: TokenGrid): Mixer {
  const grouped = (x: Tensor) => {
    const byFrame = x.narrow(2, 1, frames * patches).unflatten(2, [frames, patches]);
    return axis === 'space' ? byFrame : byFrame.transpose(2, 3);
  };
  const withClass = (x: Tensor) => {
    const groups = grouped(x);
    const [n, heads, count, , width] = groups.shape as [number, number, number, number, number];
    const classToken = x.narrow(2, 0, 1).unsqueeze(2).expand([n, heads, count, 1, width]);
    return cat([classToken, groups], { dim: 3 });
  };
  return (query, key, value) => {
    const ofClass = mixAll(query.narrow(2, 0, 1), key, value);
    const ofGroups = mixAll(grouped(query), withClass(key), withClass(value));
    const byFrame = axis === 'space' ? ofGroups : ofGroups.transpose(2, 3);
    return cat([ofClass, byFrame.flatten({ startDim: 2, endDim: 3 })], { dim: 2 });
  };
}
