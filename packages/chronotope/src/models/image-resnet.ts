import { nn, type Tensor } from '@chronotope/torch';
import type { KeyStyle } from './backbone.js';
import { initialiseConvolutions } from './residual-block.js';
import type { FourDepths } from './video-resnet.js';

export interface ResNetOptions {
  /** Outputs of a linear layer `fc` behind the pooled features; null, the default, leaves it out. */
  classes?: number | null;
  /** Inner channels of the first stage; the others have 2, 4 and 8 times as many. Default 64, the published networks. */
  width?: number;
  /** Blocks of each stage. Default: the published network's. */
  depths?: FourDepths;
  /**
   * How many times the feature map is smaller than the image. 8 keeps the size of the second stage: the last two have
   * stride 1 and 3x3 convolutions dilated 2 and 4 times (in the first block of a stage half of that; of a basic block
   * only the first convolution), with the same weights. Default 32, the published networks.
   */
  outputStride?: 8 | 32;
}

type BlockKind = 'basic' | 'bottleneck';

/** How many times its inner channels a block puts out. */
const EXPANSION = { basic: 1, bottleneck: 4 } as const;

/**
 * ResNet for images (He et al., CVPR 2016) with torchvision's keys `conv1`, `bn1`, `layer{1-4}.*` and, if it has a
 * classifier, `fc`; the stride of a bottleneck is in its 3x3 convolution. Size shrinks 32 times.
 */
abstract class ResNet extends nn.Module {
  readonly keyStyle: KeyStyle = 'torchvision';
  /** Channels of the features, F. */
  readonly features: number;
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly relu = new nn.ReLU({ inplace: true });
  readonly maxpool = new nn.MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 });
  readonly layer1: nn.Sequential;
  readonly layer2: nn.Sequential;
  readonly layer3: nn.Sequential;
  readonly layer4: nn.Sequential;
  readonly fc: nn.Linear | null;

  protected constructor(
    kind: BlockKind,
    { classes = null, width = 64, outputStride = 32, depths }: ResNetOptions & { depths: FourDepths },
  ) {
    super();
    const expansion = EXPANSION[kind];
    this.features = 8 * width * expansion;
    this.conv1 = new nn.Conv2d(3, width, { kernelSize: 7, stride: 2, padding: 3, bias: false });
    this.bn1 = new nn.BatchNorm2d(width);
    const stage = (index: 1 | 2 | 3, geometry: StageGeometry) =>
      imageStage(kind, (width * expansion * 2 ** index) / 2, width * 2 ** index, depths[index], geometry);
    const shrinks = { stride: 2, dilation: 1 };
    const isDilated = outputStride === 8;
    this.layer1 = imageStage(kind, width, width, depths[0], { stride: 1, dilation: 1 });
    this.layer2 = stage(1, shrinks);
    this.layer3 = stage(2, isDilated ? { stride: 1, dilation: 2 } : shrinks);
    this.layer4 = stage(3, isDilated ? { stride: 1, dilation: 4 } : shrinks);
    this.fc = classes === null ? null : new nn.Linear(this.features, classes);
    initialiseConvolutions(this);
  }

  /** The last convolution's output, `[N, 3, H, W]` to `[N, F, H / 32, W / 32]`, or / 8. Call it inside a scope. */
  featureMap(images: Tensor): Tensor {
    const { conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4 } = this;
    return nn.chain([conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4], images);
  }

  /** Images `[N, 3, H, W]` to features `[N, F]` averaged over space, or to logits `[N, classes]`. */
  override forward(images: Tensor): Tensor {
    const features = this.featureMap(images).mean([2, 3]);
    return this.fc ? this.fc.call(features) : features;
  }
}

/** ResNet-18: 11,176,512 parameters without a classifier. F = 512. */
export class ResNet18 extends ResNet {
  constructor({ depths = [2, 2, 2, 2], ...options }: ResNetOptions = {}) {
    super('basic', { depths, ...options });
  }
}

/** ResNet-50: 23,508,032 parameters without a classifier. F = 2048. */
export class ResNet50 extends ResNet {
  constructor({ depths = [3, 4, 6, 3], ...options }: ResNetOptions = {}) {
    super('bottleneck', { depths, ...options });
  }
}

/** Stride of a stage's first block, and distance between the taps of its 3x3 convolutions. */
interface StageGeometry {
  stride: number;
  dilation: number;
}

/** Blocks in a row; the first one changes width and size, and has half of the stage's dilation. */
function imageStage(
  kind: BlockKind,
  inChannels: number,
  inner: number,
  blocks: number,
  { stride, dilation }: StageGeometry,
): nn.Sequential {
  const Block = kind === 'basic' ? BasicBlock : Bottleneck;
  const first = { stride, dilation: Math.max(1, dilation / 2) };
  return new nn.Sequential(
    ...Array.from({ length: blocks }, (_, index) =>
      index === 0
        ? new Block(inChannels, inner, first)
        : new Block(inner * EXPANSION[kind], inner, { stride: 1, dilation }),
    ),
  );
}

/** Two 3x3 convolutions with a shortcut: `[N, in, H, W]` to `[N, out, H / stride, W / stride]`. */
class BasicBlock extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly relu = new nn.ReLU({ inplace: true });
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  readonly downsample: nn.Sequential | null;

  constructor(inChannels: number, outChannels: number, { stride, dilation }: StageGeometry) {
    super();
    const first = { kernelSize: 3, stride, padding: dilation, dilation, bias: false };
    this.conv1 = new nn.Conv2d(inChannels, outChannels, first);
    this.bn1 = new nn.BatchNorm2d(outChannels);
    this.conv2 = new nn.Conv2d(outChannels, outChannels, { kernelSize: 3, padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outChannels);
    this.downsample = projection(inChannels, outChannels, stride);
  }

  override forward(x: Tensor): Tensor {
    const residual = nn.chain([this.conv1, this.bn1, this.relu, this.conv2, this.bn2], x);
    return residual.add_(this.downsample ? this.downsample.call(x) : x).relu_();
  }
}

/** 1x1, 3x3 and 1x1 convolutions with a shortcut: `[N, in, H, W]` to `[N, 4 inner, H / stride, W / stride]`. */
class Bottleneck extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  readonly conv3: nn.Conv2d;
  readonly bn3: nn.BatchNorm2d;
  readonly relu = new nn.ReLU({ inplace: true });
  readonly downsample: nn.Sequential | null;

  constructor(inChannels: number, inner: number, { stride, dilation }: StageGeometry) {
    super();
    const outChannels = inner * EXPANSION.bottleneck;
    this.conv1 = new nn.Conv2d(inChannels, inner, { kernelSize: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(inner);
    this.conv2 = new nn.Conv2d(inner, inner, { kernelSize: 3, stride, padding: dilation, dilation, bias: false });
    this.bn2 = new nn.BatchNorm2d(inner);
    this.conv3 = new nn.Conv2d(inner, outChannels, { kernelSize: 1, bias: false });
    this.bn3 = new nn.BatchNorm2d(outChannels);
    this.downsample = projection(inChannels, outChannels, stride);
  }

  override forward(x: Tensor): Tensor {
    const { conv1, bn1, relu, conv2, bn2, conv3, bn3 } = this;
    const residual = nn.chain([conv1, bn1, relu, conv2, bn2, relu, conv3, bn3], x);
    return residual.add_(this.downsample ? this.downsample.call(x) : x).relu_();
  }
}

/** The shortcut where width or size change, else null: the input itself. */
function projection(inChannels: number, outChannels: number, stride: number): nn.Sequential | null {
  if (inChannels === outChannels && stride === 1) return null;
  return new nn.Sequential(
    new nn.Conv2d(inChannels, outChannels, { kernelSize: 1, stride, bias: false }),
    new nn.BatchNorm2d(outChannels),
  );
}
