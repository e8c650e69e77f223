import { cat, linear, nn, type Tensor } from '@chronotope/torch';

/** Combines queries, keys and values `[N, heads, L, d]` of all tokens to `[N, heads, L, d]`. */
export type Mixer = (query: Tensor, key: Tensor, value: Tensor) => Tensor;

/** Every token attends to every token. */
export const mixAll: Mixer = (query, key, value) => nn.functional.scaledDotProductAttention(query, key, value);

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
