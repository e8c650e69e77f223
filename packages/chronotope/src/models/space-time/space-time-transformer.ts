import { scope, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../../errors.js';
import { VideoBackbone } from '../backbone.js';
import { patchGrid } from '../patch-grid.js';

/**
 * What stands for a clip: its `class` token, or the average of its `patches`, which can be had for each span of time too
 * and so serves methods that compare slices of a clip.
 */
export type TokenPooling = 'class' | 'patches';

/** Tokens after the last norm. */
export interface ClipTokens {
  /** `[N, D]` */
  class: Tensor;
  /** `[N, T, h, w, D]` */
  patches: Tensor;
}

/** Settings that space-time transformers share. */
export interface TokenPoolingOptions {
  /** Default `class`. */
  pooling?: TokenPooling;
  /** Time steps of the features for `patches`. Default 1. */
  slices?: number;
}

/** A vision transformer on clips. */
export abstract class SpaceTimeTransformer extends VideoBackbone {
  override readonly slices: number;
  override readonly timeStride = 1;
  readonly pooling: TokenPooling;
  /** Side of a patch in pixels. */
  abstract readonly patch: number;

  constructor({ pooling = 'class', slices = 1 }: TokenPoolingOptions) {
    super();
    if (pooling === 'class' && slices !== 1) {
      throw new ChronotopeError('class-token-slices', `a class token has no ${slices} slices of time`, {
        hint: "use pooling 'patches' for features of slices",
      });
    }
    this.pooling = pooling;
    this.slices = slices;
  }

  override get spaceStride(): number {
    return this.patch;
  }

  /** All tokens of clips `[N, 3, T, H, W]`. Call it inside a scope. */
  abstract tokens(clips: Tensor): ClipTokens;

  /** What stands for each clip: `[N, 3, T, H, W]` to `[N, D]`. */
  pooled(clips: Tensor): Tensor {
    return scope(() => this.featureMap(clips).mean([2, 3, 4]));
  }

  /** `[N, D, 1, 1, 1]` for the class token, `[N, D, T, h, w]` for patches. */
  override featureMap(clips: Tensor): Tensor {
    const tokens = this.tokens(clips);
    return this.pooling === 'class'
      ? tokens.class.reshape([...tokens.class.shape, 1, 1, 1])
      : tokens.patches.permute([0, 4, 1, 2, 3]);
  }

  /** @throws ChronotopeError `patch-size` if patches do not tile the frames; those of {@link VideoBackbone.checkClips} */
  override checkClips(clips: { frames: number; size: number }): void {
    super.checkClips(clips);
    patchGrid([clips.size, clips.size], this.patch);
  }
}
