import { nn, type Tensor } from '@chronotope/torch';
import { VideoBackbone } from './backbone.js';
import { initialiseConvolutions } from './residual-block.js';
import type { FourDepths } from './video-resnet.js';

export interface R3D50Options {
  /**
   * Channels of the stem and inner channels of the first stage; the other stages have 2, 4 and 8 times as many, and
   * every stage puts out 4 times its inner channels. Default 64, the published network; less makes smaller networks of
   * the same form for CPUs.
   */
  width?: number;
  /** Default [3, 4, 6, 3], the 50 layers of the name. */
  depths?: FourDepths;
  /** Time steps of the features. Default 4. */
  slices?: number;
}

/** Extent in time of the first convolution in the bottlenecks of each stage. */
const TIME_KERNELS = [1, 1, 3, 3] as const;
const EXPANSION = 4;

/**
 * R3D-50 of TimeBalance: the slow path of SlowFast (Feichtenhofer et al., ICCV 2019) with PyTorchVideo's keys of
 * `slow_r50`, `blocks.0.*` (stem) to `blocks.4.*`. 31,634,496 parameters. Time does not shrink, size shrinks 32 times.
 */
export class R3D50 extends VideoBackbone {
  override readonly keyStyle = 'pytorchvideo';
  override readonly timeStride = 1;
  override readonly spaceStride = 32;
  override readonly features: number;
  override readonly slices: number;
  readonly blocks: nn.ModuleList<Stem | Stage>;

  constructor({ width = 64, depths = [3, 4, 6, 3], slices = 4 }: R3D50Options = {}) {
    super();
    this.features = 8 * width * EXPANSION;
    this.slices = slices;
    const stages = depths.map((bottlenecks, stage) => {
      const inner = width * 2 ** stage;
      const inChannels = stage === 0 ? width : (inner / 2) * EXPANSION;
      return new Stage(inChannels, inner, {
        bottlenecks,
        timeKernel: TIME_KERNELS[stage]!,
        spaceStride: stage === 0 ? 1 : 2,
      });
    });
    this.blocks = new nn.ModuleList([new Stem(width), ...stages]);
    initialiseConvolutions(this);
  }

  override featureMap(clips: Tensor): Tensor {
    return nn.chain(this.blocks, clips);
  }
}

/** `[N, 3, T, H, W]` to `[N, width, T, H / 4, W / 4]`. */
class Stem extends nn.Module {
  readonly conv: nn.Conv3d;
  readonly norm: nn.BatchNorm3d;
  readonly activation = new nn.ReLU({ inplace: true });
  readonly pool = new nn.MaxPool3d({ kernelSize: [1, 3, 3], stride: [1, 2, 2], padding: [0, 1, 1] });

  constructor(width: number) {
    super();
    this.conv = new nn.Conv3d(3, width, {
      kernelSize: [1, 7, 7],
      stride: [1, 2, 2],
      padding: [0, 3, 3],
      bias: false,
    });
    this.norm = new nn.BatchNorm3d(width);
  }

  override forward(x: Tensor): Tensor {
    return nn.chain([this.conv, this.norm, this.activation, this.pool], x);
  }
}

interface StageOptions {
  timeKernel: number;
  spaceStride: number;
}

/** Bottlenecks in a row; the first one changes width and size. */
class Stage extends nn.Module {
  readonly resBlocks: nn.ModuleList<Bottleneck>;

  constructor(inChannels: number, inner: number, { bottlenecks, ...first }: StageOptions & { bottlenecks: number }) {
    super();
    this.resBlocks = new nn.ModuleList(
      Array.from({ length: bottlenecks }, (_, index) =>
        index === 0
          ? new Bottleneck(inChannels, inner, first)
          : new Bottleneck(inner * EXPANSION, inner, { ...first, spaceStride: 1 }),
      ),
    );
  }

  override forward(x: Tensor): Tensor {
    return nn.chain(this.resBlocks, x);
  }
}

/** `[N, in, T, H, W]` to `[N, 4 inner, T, H / stride, W / stride]`, with a shortcut. */
class Bottleneck extends nn.Module {
  readonly branch1Conv: nn.Conv3d | null;
  readonly branch1Norm: nn.BatchNorm3d | null;
  readonly branch2: BottleneckBranch;

  constructor(inChannels: number, inner: number, { timeKernel, spaceStride }: StageOptions) {
    super();
    const outChannels = inner * EXPANSION;
    const changesShape = inChannels !== outChannels || spaceStride !== 1;
    this.branch1Conv = changesShape
      ? new nn.Conv3d(inChannels, outChannels, { kernelSize: 1, stride: [1, spaceStride, spaceStride], bias: false })
      : null;
    this.branch1Norm = changesShape ? new nn.BatchNorm3d(outChannels) : null;
    this.branch2 = new BottleneckBranch(inChannels, inner, { timeKernel, spaceStride });
  }

  override forward(x: Tensor): Tensor {
    const residual = this.branch2.call(x);
    const shortcut = this.branch1Conv && this.branch1Norm ? nn.chain([this.branch1Conv, this.branch1Norm], x) : x;
    return residual.add_(shortcut).relu_();
  }
}

/** Convolution in time to the inner width, in space with the stride, and to four times the inner width. */
class BottleneckBranch extends nn.Module {
  readonly convA: nn.Conv3d;
  readonly normA: nn.BatchNorm3d;
  readonly convB: nn.Conv3d;
  readonly normB: nn.BatchNorm3d;
  readonly convC: nn.Conv3d;
  readonly normC: nn.BatchNorm3d;
  readonly activation = new nn.ReLU({ inplace: true });

  constructor(inChannels: number, inner: number, { timeKernel, spaceStride }: StageOptions) {
    super();
    const outChannels = inner * EXPANSION;
    this.convA = new nn.Conv3d(inChannels, inner, {
      kernelSize: [timeKernel, 1, 1],
      padding: [(timeKernel - 1) / 2, 0, 0],
      bias: false,
    });
    this.normA = new nn.BatchNorm3d(inner);
    this.convB = new nn.Conv3d(inner, inner, {
      kernelSize: [1, 3, 3],
      stride: [1, spaceStride, spaceStride],
      padding: [0, 1, 1],
      bias: false,
    });
    this.normB = new nn.BatchNorm3d(inner);
    this.convC = new nn.Conv3d(inner, outChannels, { kernelSize: 1, bias: false });
    this.normC = new nn.BatchNorm3d(outChannels);
    // A gain of 0 makes every bottleneck start as its shortcut (PyTorchVideo's initialisation).
    nn.init.zeros_(this.normC.weight!);
  }

  override forward(x: Tensor): Tensor {
    const { convA, normA, convB, normB, convC, normC, activation } = this;
    return nn.chain([convA, normA, activation, convB, normB, activation, convC, normC], x);
  }
}
