import { adaptiveAvgPool3d, nn, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';

/** Whose state dict a network's keys are those of. */
export type KeyStyle = 'torchvision' | 'pytorchvideo' | 'timm' | 'clip' | 'chronotope';

/** What every video network up to its classifier or projection head has in common. */
export abstract class VideoBackbone extends nn.Module {
  /** Channels of the features, F. */
  abstract readonly features: number;
  /** Time steps of the features, K. */
  abstract readonly slices: number;
  /** Frames for one time step of the feature map. */
  abstract readonly timeStride: number;
  /** Pixels, in height and in width, for one place of the feature map. */
  abstract readonly spaceStride: number;
  abstract readonly keyStyle: KeyStyle;

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
    this.requireSlices(clips.shape[2]!, map.shape[2]!);
    return adaptiveAvgPool3d(map, [this.slices, 1, 1]);
  }

  /**
   * Says without running the network whether {@link forward} can use clips of this size.
   *
   * @param clips.frames T
   * @param clips.size H and W in pixels
   * @throws ChronotopeError `clip-too-short`, or `input-too-small` if less than one place of the feature map is left,
   *   because the network would see mostly padding
   */
  checkClips({ frames, size }: { frames: number; size: number }): void {
    this.requireSlices(frames, Math.ceil(frames / this.timeStride));
    if (size >= this.spaceStride) return;
    const { name } = this.constructor;
    throw new ChronotopeError(
      'input-too-small',
      `${name} shrinks frames ${this.spaceStride} times, which leaves less than a pixel of ${size} x ${size}`,
      { hint: `use frames of at least ${this.spaceStride} pixels, or another network`, details: { size } },
    );
  }

  private requireSlices(frames: number, steps: number): void {
    const { slices, timeStride } = this;
    if (steps >= slices) return;
    const enough = (slices - 1) * timeStride + 1;
    throw new ChronotopeError(
      'clip-too-short',
      `a clip of ${frames} frames leaves ${steps} time steps, fewer than the ${slices} slices asked for`,
      {
        hint: `use clips of at least ${enough} frames with ${this.constructor.name}, or fewer slices`,
        details: { frames, steps, slices },
      },
    );
  }
}
