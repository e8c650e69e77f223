import { cat, nn, scope, type Tensor, zeros } from '@chronotope/torch';
import { ClipImageTower } from '../clip/image-tower.js';
import { type PositionInterpolation, resizePositions } from '../clip/positions.js';
import type { ClipActivation, ImageTowerShape } from '../clip/shape.js';
import type { ResidualAttentionBlock } from '../clip/transformer.js';
import { patchGrid } from '../patch-grid.js';
import { type Mixer, selfAttention, type TokenGrid } from './attention.js';
import { type ClipTokens, SpaceTimeTransformer, type TokenPoolingOptions } from './space-time-transformer.js';
import { resizeTimes } from './time-positions.js';
import {
  dividedBlock,
  framesAsImages,
  frozenBlock,
  plainBlock,
  type SpaceTimeAttention,
  type SpaceTimeBranches,
  withMeanClassToken,
} from './wiring.js';

/** Settings of {@link ClipVideo}. */
export interface ClipVideoOptions extends TokenPoolingOptions {
  /** Of the image tower. */
  shape: ImageTowerShape;
  /** Size of the space that videos and texts share, E. */
  embedding: number;
  /** Default `quick-gelu`. */
  activation?: ClipActivation;
  /** Frames that it is made for; other numbers are possible. Default 8. */
  frames?: number;
  /** Default `divided`. */
  attention?: SpaceTimeAttention;
  /** How position embeddings become those of other sizes. Default `bicubic`. */
  positions?: PositionInterpolation;
  /** Start of the attention over time: `zero` (default) begins as CLIP, `random` does not. */
  temporalStart?: 'zero' | 'random';
}

/**
 * CLIP's image tower with attention over time: the visual backbone of LSS (method note 3.3).
 *
 * `visual.*` is the image tower with CLIP's own keys; `time_embed` and `temporal.{i}.*` are added. At first the added part
 * contributes nothing, so that a single frame, or a video of equal frames, has exactly the image's embedding. Clips
 * `[N, 3, T, H, W]` are normalised as CLIP's images.
 */
export class ClipVideo extends SpaceTimeTransformer {
  override readonly features: number;
  override readonly patch: number;
  override readonly keyStyle = 'clip';
  readonly attention: SpaceTimeAttention;
  readonly visual: ClipImageTower;
  /** [1, T, D]; not with `space-only` attention. */
  readonly timeEmbed: nn.Parameter | null;
  /** One for each block; none with `joint` and `space-only` attention. */
  readonly temporal: nn.ModuleList<TemporalAttention>;
  readonly #positions: PositionInterpolation;

  constructor(options: ClipVideoOptions) {
    super(options);
    const { shape, embedding, activation, frames = 8, attention = 'divided' } = options;
    const { positions = 'bicubic', temporalStart = 'zero' } = options;
    this.visual = new ClipImageTower(shape, { embedding, activation });
    this.features = shape.width;
    this.patch = shape.patch;
    this.attention = attention;
    this.#positions = positions;
    this.timeEmbed = attention === 'space-only' ? null : scope(() => new nn.Parameter(zeros([1, frames, shape.width])));
    const looksAlongTime = attention === 'divided' || attention === 'frozen';
    this.temporal = new nn.ModuleList(
      Array.from({ length: looksAlongTime ? shape.layers : 0 }, () => new TemporalAttention(shape)),
    );
    this.copySpaceToTime();
    if (temporalStart === 'random') {
      for (const { fc } of this.temporal) nn.init.normal_(fc.weight, 0, 0.02);
    }
  }

  /** Embeddings of clips in the space that they share with texts, not normalised: `[N, 3, T, H, W]` to `[N, E]`. */
  embed(clips: Tensor): Tensor {
    return scope(() => this.project(this.pooled(clips)));
  }

  /** Pooled features `[..., D]` to embeddings `[..., E]`. */
  project(features: Tensor): Tensor {
    return features.matmul(this.visual.proj);
  }

  override tokens(clips: Tensor): ClipTokens {
    const [n, , frames, height, width] = clips.shape as [number, number, number, number, number];
    const [rows, columns] = patchGrid([height, width], this.patch);
    const grid = { frames, patches: rows * columns };
    let x = this.#embedTokens(clips, [rows, columns]);
    for (const [index, block] of [...this.visual.transformer.resblocks].entries()) {
      x = this.#block(block, this.temporal.at(index), x, grid);
    }
    if (this.attention === 'space-only') x = withMeanClassToken(x.unflatten(0, [n, frames]));
    const normed = this.visual.lnPost.call(x);
    return {
      class: normed.select(1, 0),
      patches: normed.narrow(1, 1, frames * grid.patches).reshape([n, frames, rows, columns, this.features]),
    };
  }

  /** Starts attention over time from that over space, for weights that were loaded into the image tower. */
  copySpaceToTime(): void {
    const blocks = [...this.visual.transformer.resblocks];
    scope(() => {
      for (const [index, { norm, attn }] of [...this.temporal].entries()) {
        norm.loadStateDict(blocks[index]!.ln_1.stateDict());
        attn.loadStateDict(blocks[index]!.attn.stateDict());
      }
    });
  }

  #block(block: ResidualAttentionBlock, temporal: TemporalAttention | undefined, x: Tensor, grid: TokenGrid): Tensor {
    const branches: SpaceTimeBranches = {
      attendSpace: (tokens, mix) => selfAttention(block.attn, block.ln_1.call(tokens), mix),
      attendTime: (tokens, mix) => temporal!.call(tokens, mix),
      feedForward: (tokens) => block.mlp.call(block.ln_2.call(tokens)),
    };
    return scope(() => {
      switch (this.attention) {
        case 'divided':
          return dividedBlock(branches, x, grid);
        case 'frozen':
          return frozenBlock(branches, x, grid);
        case 'joint':
        case 'space-only':
          return plainBlock(branches, x);
      }
    });
  }

  /** Tokens `[N, 1 + T · P, D]`, class token first and frame after frame; `[N · T, 1 + P, D]` for `space-only`. */
  #embedTokens(clips: Tensor, size: [rows: number, columns: number]): Tensor {
    const [n, , frames] = clips.shape as [number, number, number];
    const { visual } = this;
    const positions = resizePositions(visual.positionalEmbedding, size, { interpolation: this.#positions });
    const patches = visual.conv1.call(framesAsImages(clips)).flatten({ startDim: 2 }).transpose(1, 2);
    const placed = patches.add(positions.narrow(0, 1, size[0] * size[1]));
    const classToken = visual.classEmbedding.add(positions.select(0, 0));
    const ofEach = (items: number) => classToken.expand([items, 1, this.features]);
    if (this.timeEmbed === null) return visual.lnPre.call(cat([ofEach(n * frames), placed], { dim: 1 }));
    const inTime = placed.unflatten(0, [n, frames]).add(resizeTimes(this.timeEmbed, frames).unsqueeze(2));
    return visual.lnPre.call(cat([ofEach(n), inTime.flatten({ startDim: 1, endDim: 2 })], { dim: 1 }));
  }
}

/** Norm, attention over time and a linear layer that starts at zero. Keys `norm.*`, `attn.*`, `fc.*`. */
class TemporalAttention extends nn.Module {
  readonly norm: nn.LayerNorm;
  readonly attn: nn.MultiheadAttention;
  readonly fc: nn.Linear;

  constructor({ width, heads }: ImageTowerShape) {
    super();
    this.norm = new nn.LayerNorm(width);
    this.attn = new nn.MultiheadAttention(width, heads, { batchFirst: true });
    this.fc = new nn.Linear(width, width);
    nn.init.zeros_(this.fc.weight);
    nn.init.zeros_(this.fc.bias!);
  }

  /** `[N, T, D]` to the same shape. */
  override forward(x: Tensor, mix?: Mixer): Tensor {
    return this.fc.call(selfAttention(this.attn, this.norm.call(x), mix));
  }
}
