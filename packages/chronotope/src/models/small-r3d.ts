import { nn, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import { VideoBackbone } from './backbone.js';
import { convNormReLU, initialiseConvolutions, residualStage, type Stride3d } from './residual-block.js';

/** Settings of {@link SmallR3D}. */
export interface SmallR3DOptions {
  /** Channels of each stage. Default [16, 32, 64]. */
  widths?: readonly number[];
  /** Channels of the stem. Default: those of the first stage. */
  stemWidth?: number;
  /** Stride of each stage. Default [[1, 2, 2], [2, 2, 2], [1, 2, 2]]. */
  strides?: readonly Stride3d[];
  /** Residual blocks in each stage. Default 1. */
  blocksPerStage?: number;
  /** Stride of the stem. Default [1, 2, 2]. */
  stemStride?: Stride3d;
  /** Time steps of the features. Default 4. */
  slices?: number;
}

/**
 * A 3-D residual network small enough to train on a CPU. With the defaults it halves time once and size four times,
 * so 8 frames end in 4 steps. Keys `stem.*` and `stages.<stage>.<block>.*`.
 */
export class SmallR3D extends VideoBackbone {
  override readonly keyStyle = 'chronotope';
  override readonly features: number;
  override readonly slices: number;
  override readonly timeStride: number;
  override readonly spaceStride: number;
  readonly stem: nn.Sequential;
  readonly stages: nn.Sequential;

  /** @throws ChronotopeError `model-options` if there is not one stride per stage */
  constructor({
    widths = [16, 32, 64],
    strides = [
      [1, 2, 2],
      [2, 2, 2],
      [1, 2, 2],
    ],
    stemWidth = widths[0],
    blocksPerStage = 1,
    stemStride = [1, 2, 2],
    slices = 4,
  }: SmallR3DOptions = {}) {
    super();
    if (stemWidth === undefined || widths.length !== strides.length) {
      throw new ChronotopeError(
        'model-options',
        `small-r3d has ${widths.length} widths and ${strides.length} strides, but needs one of each per stage`,
        { hint: 'give widths and strides together, with the same number of entries' },
      );
    }
    this.features = widths.at(-1)!;
    this.slices = slices;
    this.timeStride = product([stemStride, ...strides].map(([time]) => time));
    this.spaceStride = product([stemStride, ...strides].map(([, height, width]) => Math.max(height, width)));
    this.stem = convNormReLU(
      new nn.Conv3d(3, stemWidth, { kernelSize: 3, stride: stemStride, padding: 1, bias: false }),
      stemWidth,
    );
    this.stages = new nn.Sequential(
      ...widths.map((width, stage) =>
        residualStage(widths[stage - 1] ?? stemWidth, width, { blocks: blocksPerStage, stride: strides[stage]! }),
      ),
    );
    initialiseConvolutions(this);
  }

  override featureMap(clips: Tensor): Tensor {
    return nn.chain([this.stem, this.stages], clips);
  }
}

function product(factors: readonly number[]): number {
  return factors.reduce((result, factor) => result * factor, 1);
}
