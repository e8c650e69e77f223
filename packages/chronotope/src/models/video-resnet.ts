import { nn, type Tensor } from '@chronotope/torch';
import { VideoBackbone } from './backbone.js';
import { type ConvolutionKind, convNormReLU, initialiseConvolutions, residualStage } from './residual-block.js';

/** Residual blocks of each of four stages. */
export type FourDepths = readonly [number, number, number, number];

export interface VideoResNetOptions {
  /**
   * Channels of the stem and of the first stage; the other stages have 2, 4 and 8 times as many. Default 64, the
   * published networks; less makes smaller networks of the same form for CPUs.
   */
  width?: number;
  /** Default [2, 2, 2, 2], the 18 layers of the name. */
  depths?: FourDepths;
  /** Time steps of the features. Default 4. */
  slices?: number;
}

export interface LastStageOptions {
  /**
   * `dilated` (default): layer4 keeps the time steps and looks twice as far in time instead, so that 16 frames end in
   * 4 steps (TCLR and TimeBalance). `strided`: torchvision's plain network, 16 frames end in 2.
   */
  lastStage?: 'dilated' | 'strided';
}

type FourKinds = readonly [ConvolutionKind, ConvolutionKind, ConvolutionKind, ConvolutionKind];

/**
 * The video residual networks of Tran et al., CVPR 2018, with torchvision's keys `stem.*` and `layer{1-4}.*`. Size
 * shrinks 16 times.
 */
abstract class VideoResNet extends VideoBackbone {
  override readonly keyStyle = 'torchvision';
  override readonly spaceStride = 16;
  override readonly features: number;
  override readonly slices: number;
  override readonly timeStride: number;
  readonly stem: nn.Sequential;
  readonly layer1: nn.Sequential;
  readonly layer2: nn.Sequential;
  readonly layer3: nn.Sequential;
  readonly layer4: nn.Sequential;

  protected constructor(
    stem: nn.Sequential,
    kinds: FourKinds,
    { width = 64, depths = [2, 2, 2, 2], slices = 4, lastStage }: VideoResNetOptions & LastStageOptions,
  ) {
    super();
    const dilated = lastStage === 'dilated';
    this.features = 8 * width;
    this.slices = slices;
    this.timeStride = 2 ** kinds.slice(1, dilated ? 3 : 4).filter((kind) => kind !== '2d').length;
    this.stem = stem;
    this.layer1 = residualStage(width, width, { blocks: depths[0], kind: kinds[0] });
    this.layer2 = residualStage(width, 2 * width, { blocks: depths[1], kind: kinds[1], stride: [2, 2, 2] });
    this.layer3 = residualStage(2 * width, 4 * width, { blocks: depths[2], kind: kinds[2], stride: [2, 2, 2] });
    this.layer4 = residualStage(4 * width, 8 * width, {
      blocks: depths[3],
      kind: kinds[3],
      ...(dilated ? { stride: [1, 2, 2], timeDilation: 2 } : { stride: [2, 2, 2] }),
    });
    initialiseConvolutions(this);
    if (dilated) resetReplacedConvolutions(this.layer4);
  }

  override featureMap(clips: Tensor): Tensor {
    return nn.chain([this.stem, this.layer1, this.layer2, this.layer3, this.layer4], clips);
  }
}

/**
 * R3D-18: 3x3x3 convolutions throughout, and by default the last stage of TCLR (Dave et al., CVIU 2022). 33,166,272
 * parameters. Time shrinks 4 times (8 if strided).
 */
export class R3D18 extends VideoResNet {
  constructor({ lastStage = 'dilated', ...options }: VideoResNetOptions & LastStageOptions = {}) {
    super(plainStem(options.width), ['3d', '3d', '3d', '3d'], { lastStage, ...options });
  }
}

/**
 * R(2+1)D-18: every convolution split into one in space and one in time. 31,300,125 parameters if strided; the dilated
 * last stage, for which TCLR puts one unsplit convolution in, has a few less. Time shrinks 4 times (8 if strided).
 */
export class R2Plus1D18 extends VideoResNet {
  constructor({ lastStage = 'dilated', ...options }: VideoResNetOptions & LastStageOptions = {}) {
    super(splitStem(options.width), ['(2+1)d', '(2+1)d', '(2+1)d', '(2+1)d'], { lastStage, ...options });
  }
}

/** MC3-18: 3x3x3 convolutions in the first stage, 1x3x3 in the others. 11,490,240 parameters. Time does not shrink. */
export class MC3D18 extends VideoResNet {
  constructor(options: VideoResNetOptions = {}) {
    super(plainStem(options.width), ['3d', '2d', '2d', '2d'], options);
  }
}

function plainStem(width = 64): nn.Sequential {
  return convNormReLU(
    new nn.Conv3d(3, width, { kernelSize: [3, 7, 7], stride: [1, 2, 2], padding: [1, 3, 3], bias: false }),
    width,
  );
}

/** 45 channels in the middle of the published network's stem, and as large a share of other widths. */
function splitStem(width = 64): nn.Sequential {
  const middle = Math.ceil((45 / 64) * width);
  return new nn.Sequential(
    new nn.Conv3d(3, middle, { kernelSize: [1, 7, 7], stride: [1, 2, 2], padding: [0, 3, 3], bias: false }),
    new nn.BatchNorm3d(middle),
    new nn.ReLU({ inplace: true }),
    new nn.Conv3d(middle, width, { kernelSize: [3, 1, 1], padding: [1, 0, 0], bias: false }),
    new nn.BatchNorm3d(width),
    new nn.ReLU({ inplace: true }),
  );
}

/**
 * TCLR replaces two convolutions of torchvision's network after it was initialised, so these two have the default
 * initialisation of a convolution.
 */
function resetReplacedConvolutions(stage: nn.Sequential): void {
  const state = stage.namedParameters();
  for (const key of ['0.conv1.0.weight', '0.downsample.0.weight']) {
    nn.init.kaimingUniform_(state.get(key)!, { a: Math.sqrt(5) });
  }
}
