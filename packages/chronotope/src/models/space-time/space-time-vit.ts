import { cat, nn, scope, type Tensor, zeros } from '@chronotope/torch';
import { type PositionInterpolation, resizePositions } from '../clip/positions.js';
import { patchGrid } from '../patch-grid.js';
import { type ClipTokens, SpaceTimeTransformer, type TokenPoolingOptions } from './space-time-transformer.js';
import { resizeTimes } from './time-positions.js';
import { DividedViTBlock, FrozenViTBlock, ViTBlock, type ViTBlockOptions, viTNorm } from './vit-block.js';
import { framesAsImages, type SpaceTimeAttention, withMeanClassToken } from './wiring.js';

/** Settings of {@link SpaceTimeViT}; the defaults are those of SVT's ViT-B/16. */
export interface SpaceTimeViTOptions extends TokenPoolingOptions {
  /** Height and width in pixels of the frames that it is made for; others are possible. Default 224. */
  size?: number;
  /** Side of a patch in pixels. Default 16. */
  patch?: number;
  /** Numbers in a token, D. Default 768. */
  width?: number;
  /** Blocks. Default 12. */
  depth?: number;
  /** Default 12. */
  heads?: number;
  /** Width of the hidden layers relative to D. Default 4. */
  mlpRatio?: number;
  /** Frames that it is made for; other numbers are possible. Default 8. */
  frames?: number;
  /** Default `divided`. */
  attention?: SpaceTimeAttention;
  /** Probability that training leaves out a branch of the last block; it rises from 0 in the first. Default 0.1. */
  dropPath?: number;
  /** How position embeddings become those of other sizes. Default `nearest`, as in TimeSformer. */
  positions?: PositionInterpolation;
  /** Start of the attention over time: `zero` (default) begins as an image model, `random` does not. */
  temporalStart?: 'zero' | 'random';
}

/**
 * The vision transformer of TimeSformer (ICML 2021) and SVT (CVPR 2022) with timm's keys; with `frozen` attention that of
 * Frozen in Time (ICCV 2021). Clips `[N, 3, T, H, W]` are normalised as the image model's that it starts from.
 */
export class SpaceTimeViT extends SpaceTimeTransformer {
  override readonly features: number;
  override readonly patch: number;
  override readonly keyStyle = 'timm';
  readonly attention: SpaceTimeAttention;
  /** [1, 1, D] */
  readonly clsToken: nn.Parameter;
  /** [1, 1 + patches, D] */
  readonly posEmbed: nn.Parameter;
  /** [1, T, D]; not with `space-only` attention. */
  readonly timeEmbed: nn.Parameter | null;
  /** The same with `frozen` attention, under the key of Frozen in Time. */
  readonly temporalEmbed: nn.Parameter | null;
  readonly patchEmbed: PatchEmbedding;
  readonly blocks: nn.ModuleList<ViTBlock>;
  readonly norm: nn.LayerNorm;
  readonly #positions: PositionInterpolation;

  constructor(options: SpaceTimeViTOptions = {}) {
    super(options);
    const { size = 224, patch = 16, width = 768, depth = 12, heads = 12, mlpRatio = 4, frames = 8 } = options;
    const { attention = 'divided', dropPath = 0.1, positions = 'nearest', temporalStart = 'zero' } = options;
    const [rows, columns] = patchGrid([size, size], patch);
    this.features = width;
    this.patch = patch;
    this.attention = attention;
    this.#positions = positions;
    this.clsToken = embeddingParameter([1, 1, width]);
    this.posEmbed = embeddingParameter([1, 1 + rows * columns, width]);
    const times = (used: boolean) => (used ? scope(() => new nn.Parameter(zeros([1, frames, width]))) : null);
    this.timeEmbed = times(attention === 'divided' || attention === 'joint');
    this.temporalEmbed = times(attention === 'frozen');
    this.patchEmbed = new PatchEmbedding(patch, width);
    this.blocks = new nn.ModuleList(
      Array.from({ length: depth }, (_, index) =>
        newBlock(attention, { width, heads, mlpRatio, dropPath: depth > 1 ? (dropPath * index) / (depth - 1) : 0 }),
      ),
    );
    this.norm = viTNorm(width);
    initialise(this, temporalStart);
  }

  override tokens(clips: Tensor): ClipTokens {
    const [n, , frames, height, width] = clips.shape as [number, number, number, number, number];
    const [rows, columns] = patchGrid([height, width], this.patch);
    const grid = { frames, patches: rows * columns };
    let x = this.#embed(clips, [rows, columns]);
    for (const block of this.blocks) x = block.call(x, grid);
    if (this.attention === 'space-only') x = withMeanClassToken(x.unflatten(0, [n, frames]));
    const normed = this.norm.call(x);
    return {
      class: normed.select(1, 0),
      patches: normed.narrow(1, 1, frames * grid.patches).reshape([n, frames, rows, columns, this.features]),
    };
  }

  /** Starts attention over time from that over space, for weights of an image model. */
  copySpaceToTime(): void {
    for (const block of this.blocks) if (block instanceof DividedViTBlock) block.copySpaceToTime();
  }

  /** Tokens `[N, 1 + T · P, D]`, class token first and frame after frame; `[N · T, 1 + P, D]` for `space-only`. */
  #embed(clips: Tensor, size: [rows: number, columns: number]): Tensor {
    const [n, , frames] = clips.shape as [number, number, number];
    const positions = resizePositions(this.posEmbed.squeeze(0), size, { interpolation: this.#positions });
    const patches = this.patchEmbed.call(framesAsImages(clips)).add(positions.narrow(0, 1, size[0] * size[1]));
    const classToken = this.clsToken.add(positions.narrow(0, 0, 1));
    const ofEach = (items: number) => classToken.expand([items, 1, this.features]);
    if (this.attention === 'space-only') return cat([ofEach(n * frames), patches], { dim: 1 });
    const inTime = patches.unflatten(0, [n, frames]).add(this.#times(frames).unsqueeze(2));
    return cat([ofEach(n), inTime.flatten({ startDim: 1, endDim: 2 })], { dim: 1 });
  }

  /** Time embeddings `[1, T, D]`. Frozen in Time takes the first ones for shorter clips. */
  #times(frames: number): Tensor {
    const { temporalEmbed, timeEmbed } = this;
    if (temporalEmbed && frames < temporalEmbed.shape[1]!) return temporalEmbed.narrow(1, 0, frames);
    return resizeTimes((temporalEmbed ?? timeEmbed)!, frames);
  }
}

/** Patches of images `[N, 3, H, W]` as tokens `[N, P, D]`. Keys `proj.*`. */
class PatchEmbedding extends nn.Module {
  readonly proj: nn.Conv2d;

  constructor(patch: number, width: number) {
    super();
    this.proj = new nn.Conv2d(3, width, { kernelSize: patch, stride: patch });
  }

  override forward(images: Tensor): Tensor {
    return this.proj.call(images).flatten({ startDim: 2 }).transpose(1, 2);
  }
}

function newBlock(attention: SpaceTimeAttention, options: ViTBlockOptions): ViTBlock {
  switch (attention) {
    case 'divided':
      return new DividedViTBlock(options);
    case 'frozen':
      return new FrozenViTBlock(options);
    case 'joint':
    case 'space-only':
      return new ViTBlock(options);
  }
}

function embeddingParameter(shape: readonly number[]): nn.Parameter {
  const parameter = scope(() => new nn.Parameter(zeros([...shape])));
  nn.init.truncNormal_(parameter, { std: 0.02, a: -2, b: 2 });
  return parameter;
}

/** TimeSformer's initialisation; with a `zero` start attention over time adds nothing at first. */
function initialise({ blocks }: SpaceTimeViT, temporalStart: 'zero' | 'random'): void {
  for (const block of blocks) {
    for (const layer of block.modules()) {
      if (!(layer instanceof nn.Linear)) continue;
      nn.init.truncNormal_(layer.weight, { std: 0.02, a: -2, b: 2 });
      nn.init.zeros_(layer.bias!);
    }
    if (temporalStart === 'random') continue;
    if (block instanceof DividedViTBlock) {
      nn.init.zeros_(block.temporalFc.weight);
    }
    if (block instanceof FrozenViTBlock) {
      nn.init.zeros_(block.timeattn.qkv.weight);
      nn.init.ones_(block.timeattn.proj.weight);
    }
  }
}
