import { nn, type Tensor } from '@chronotope/torch';

/** Steps in time, height and width. */
export type Stride3d = readonly [time: number, height: number, width: number];

/**
 * The convolutions that a video residual network is made of (Tran et al., CVPR 2018):
 *
 * - `3d`: 3x3x3
 * - `(2+1)d`: 1x3x3 to a middle width, batch normalisation, ReLU, 3x1x1. It has about as many weights as `3d`.
 * - `2d`: 1x3x3. It never shrinks time.
 */
export type ConvolutionKind = '3d' | '(2+1)d' | '2d';

export interface ResidualBlockOptions {
  /** Stride of the first convolution and of the shortcut. Default [1, 1, 1]. */
  stride?: Stride3d;
  /** Distance in time between the first convolution's taps. Beyond the default 1 that convolution is always `3d`. */
  timeDilation?: number;
  /** Default `3d`. */
  kind?: ConvolutionKind;
}

/** Convolution without bias, batch normalisation and ReLU: the first two are torchvision's keys `0` and `1`. */
export function convNormReLU(conv: nn.Layer, channels: number): nn.Sequential {
  return new nn.Sequential(conv, new nn.BatchNorm3d(channels), new nn.ReLU({ inplace: true }));
}

/**
 * Two convolutions with a shortcut around them (He et al., CVPR 2016, in 3-D), keys as torchvision's `BasicBlock` for
 * video: `conv1.{0,1}`, `conv2.{0,1}` and, where width or size change, `downsample.{0,1}`.
 *
 * `[N, in, T, H, W]` to `[N, out, T / stride, H / stride, W / stride]`.
 */
export class ResidualBlock extends nn.Module {
  readonly conv1: nn.Sequential;
  readonly conv2: nn.Sequential;
  readonly downsample: nn.Sequential | null;

  constructor(inChannels: number, outChannels: number, options: ResidualBlockOptions = {}) {
    super();
    const { timeDilation = 1, kind = '3d' } = options;
    const stride = strideOf(kind, options.stride ?? [1, 1, 1]);
    const changesShape = inChannels !== outChannels || stride.some((step) => step !== 1);
    const middle = middleWidth(inChannels, outChannels);
    const first =
      timeDilation === 1
        ? convolution(kind, [inChannels, middle, outChannels], stride)
        : dilatedConvolution(inChannels, outChannels, stride, timeDilation);
    this.conv1 = convNormReLU(first, outChannels);
    this.conv2 = new nn.Sequential(
      convolution(kind, [outChannels, middle, outChannels], [1, 1, 1]),
      new nn.BatchNorm3d(outChannels),
    );
    this.downsample = changesShape
      ? new nn.Sequential(
          new nn.Conv3d(inChannels, outChannels, { kernelSize: 1, stride, bias: false }),
          new nn.BatchNorm3d(outChannels),
        )
      : null;
  }

  override forward(x: Tensor): Tensor {
    const residual = nn.chain([this.conv1, this.conv2], x);
    const shortcut = this.downsample ? this.downsample.call(x) : x;
    return residual.add_(shortcut).relu_();
  }
}

/** Blocks in a row; the first one changes width and size. */
export function residualStage(
  inChannels: number,
  outChannels: number,
  { blocks, kind, ...first }: ResidualBlockOptions & { blocks: number },
): nn.Sequential {
  return new nn.Sequential(
    ...Array.from({ length: blocks }, (_, index) =>
      index === 0
        ? new ResidualBlock(inChannels, outChannels, { kind, ...first })
        : new ResidualBlock(outChannels, outChannels, { kind }),
    ),
  );
}

/** He-normal initialisation (fan out, ReLU) of every convolution in a module, as in torchvision's ResNets. */
export function initialiseConvolutions(module: nn.Module): void {
  for (const layer of module.modules()) {
    if (layer instanceof nn.Conv3d || layer instanceof nn.Conv2d) {
      nn.init.kaimingNormal_(layer.weight, { mode: 'fanOut', nonlinearity: 'relu' });
    }
  }
}

function strideOf(kind: ConvolutionKind, [time, height, width]: Stride3d): Stride3d {
  return [kind === '2d' ? 1 : time, height, width];
}

/** The middle width of `(2+1)d` with which it has as many weights as `3d`; both convolutions of a block share it. */
function middleWidth(inChannels: number, outChannels: number): number {
  return Math.floor((inChannels * outChannels * 27) / (inChannels * 9 + outChannels * 3));
}

type Widths = readonly [inChannels: number, middle: number, outChannels: number];

function convolution(
  kind: ConvolutionKind,
  [inChannels, middle, outChannels]: Widths,
  [time, height, width]: Stride3d,
): nn.Layer {
  const inSpace = { kernelSize: [1, 3, 3], stride: [1, height, width], padding: [0, 1, 1], bias: false };
  switch (kind) {
    case '3d':
      return dilatedConvolution(inChannels, outChannels, [time, height, width], 1);
    case '2d':
      return new nn.Conv3d(inChannels, outChannels, inSpace);
    case '(2+1)d':
      return new nn.Sequential(
        new nn.Conv3d(inChannels, middle, inSpace),
        new nn.BatchNorm3d(middle),
        new nn.ReLU({ inplace: true }),
        new nn.Conv3d(middle, outChannels, {
          kernelSize: [3, 1, 1],
          stride: [time, 1, 1],
          padding: [1, 0, 0],
          bias: false,
        }),
      );
  }
}

function dilatedConvolution(
  inChannels: number,
  outChannels: number,
  stride: Stride3d,
  timeDilation: number,
): nn.Conv3d {
  return new nn.Conv3d(inChannels, outChannels, {
    kernelSize: 3,
    stride,
    padding: [timeDilation, 1, 1],
    dilation: [timeDilation, 1, 1],
    bias: false,
  });
}
