import { nn, type Tensor } from '@chronotope/torch';
import { initialiseConvolutions } from './residual-block.js';

/**
 * The network of the original SiamFC (Bertinetto et al., ECCVW 2016), an AlexNet without padding: five convolutions, the
 * second, fourth and fifth in two groups, of 96, 256, 384, 384 and 256 channels. Total stride 8; a map of S pixels
 * leaves (S - 87) / 8 + 1 places. For images with values from 0 to 255.
 */
export class AlexNet extends nn.Module {
  /** Channels of the features, F. */
  readonly features = 256;
  readonly conv1: nn.Sequential;
  readonly conv2: nn.Sequential;
  readonly conv3: nn.Sequential;
  readonly conv4: nn.Sequential;
  readonly conv5: nn.Sequential;

  constructor() {
    super();
    const shrink = () => new nn.MaxPool2d({ kernelSize: 3, stride: 2 });
    this.conv1 = convolution(3, 96, { kernelSize: 11, stride: 2 }, shrink());
    this.conv2 = convolution(96, 256, { kernelSize: 5, groups: 2 }, shrink());
    this.conv3 = convolution(256, 384, { kernelSize: 3 });
    this.conv4 = convolution(384, 384, { kernelSize: 3, groups: 2 });
    this.conv5 = new nn.Sequential(new nn.Conv2d(384, 256, { kernelSize: 3, groups: 2 }));
    initialiseConvolutions(this);
  }

  /** The last convolution's output, `[N, 3, H, W]` to `[N, 256, H', W']`. Call it inside a scope. */
  featureMap(images: Tensor): Tensor {
    return nn.chain([this.conv1, this.conv2, this.conv3, this.conv4, this.conv5], images);
  }

  override forward(images: Tensor): Tensor {
    return this.featureMap(images);
  }
}

/** Convolution, batch normalisation, ReLU, and what comes behind it. */
function convolution(inChannels: number, outChannels: number, options: nn.ConvOptions, ...behind: nn.Layer[]) {
  return new nn.Sequential(
    new nn.Conv2d(inChannels, outChannels, options),
    new nn.BatchNorm2d(outChannels, { eps: 1e-6, momentum: 0.05 }),
    new nn.ReLU({ inplace: true }),
    ...behind,
  );
}
