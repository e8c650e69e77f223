import { adaptiveAvgPool3d, nn, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';

/** What every video network up to its classifier or projection head has in common. */
export abstract class VideoBackbone extends nn.Module {
  /** Channels of the features, F. */
  abstract readonly features: number;
  /** Time steps of the features, K. */
  abstract readonly slices: number;

  /** The last convolution's output, `[N, 3, T, H, W]` to `[N, F, T', H', W']`. Call it inside a scope. */
  abstract featureMap(clips: Tensor): Tensor;

  /**
   * The features of K consecutive slices of each clip: the feature map averaged over space, and over equal spans of
   * time where it has more than K steps.
   *
   * @param clips `[N, 3, T, H, W]`, float32 in [0, 1], channels red, green, blue
   * @returns `[N, F, K, 1, 1]`
   * @throws ChronotopeError `clip-too-short` if the feature map has fewer than K steps, because slices would repeat
   */
  override forward(clips: Tensor): Tensor {
    const map = this.featureMap(clips);
    const steps = map.shape[2]!;
    if (steps < this.slices) {
      throw new ChronotopeError(
        'clip-too-short',
        `a clip of ${clips.shape[2]} frames leaves ${steps} time steps, fewer than the ${this.slices} slices asked for`,
        { hint: 'use longer clips or fewer slices', details: { frames: clips.shape[2], steps, slices: this.slices } },
      );
    }
    return adaptiveAvgPool3d(map, [this.slices, 1, 1]);
  }
}
