import { nn, type Tensor } from '@chronotope/torch';

/** Steps in time, height and width. */
export type Stride3d = readonly [time: number, height: number, width: number];

/** Convolution without bias, batch normalisation and ReLU: the first two are torchvision's keys `0` and `1`. */
export function convNormReLU(conv: nn.Conv3d, channels: number): nn.Sequential {
  return new nn.Sequential(conv, new nn.BatchNorm3d(channels), new nn.ReLU({ inplace: true }));
}

/**
 * Two 3x3x3 convolutions with a shortcut around them (He et al., CVPR 2016, in 3-D), keys as torchvision's
 * `BasicBlock`: `conv1.{0,1}`, `conv2.{0,1}` and, where width or size change, `downsample.{0,1}`.
 *
 * `[N, in, T, H, W]` to `[N, out, T / stride, H / stride, W / stride]`.
 */
export class ResidualBlock extends nn.Module {
  readonly conv1: nn.Sequential;
  readonly conv2: nn.Sequential;
  readonly downsample: nn.Sequential | null;

  /**
   * @param options.stride of the first convolution (default [1, 1, 1])
   * @param options.timeDilation distance in time between the first convolution's taps (default 1)
   */
  constructor(
    inChannels: number,
    outChannels: number,
    { stride = [1, 1, 1], timeDilation = 1 }: { stride?: Stride3d; timeDilation?: number } = {},
  ) {
    super();
    const changesShape = inChannels !== outChannels || stride.some((step) => step !== 1);
    this.conv1 = convNormReLU(
      new nn.Conv3d(inChannels, outChannels, {
        kernelSize: 3,
        stride,
        padding: [timeDilation, 1, 1],
        dilation: [timeDilation, 1, 1],
        bias: false,
      }),
      outChannels,
    );
    this.conv2 = new nn.Sequential(
      new nn.Conv3d(outChannels, outChannels, { kernelSize: 3, padding: 1, bias: false }),
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
  { blocks, stride, timeDilation }: { blocks: number; stride: Stride3d; timeDilation?: number },
): nn.Sequential {
  return new nn.Sequential(
    ...Array.from({ length: blocks }, (_, index) =>
      index === 0
        ? new ResidualBlock(inChannels, outChannels, { stride, timeDilation })
        : new ResidualBlock(outChannels, outChannels),
    ),
  );
}

/** He-normal initialisation (fan out, ReLU) of every 3-D convolution in a module, as in torchvision's video ResNets. */
export function initialiseConvolutions(module: nn.Module): void {
  for (const layer of module.modules()) {
    if (layer instanceof nn.Conv3d) {
      nn.init.kaimingNormal_(layer.weight, { mode: 'fanOut', nonlinearity: 'relu' });
    }
  }
}
