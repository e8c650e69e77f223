import { nn, type Tensor } from '@chronotope/torch';
import { VideoBackbone } from './backbone.js';
import { convNormReLU, initialiseConvolutions, residualStage } from './residual-block.js';

/** Settings of {@link R3D18}. */
export interface R3D18Options {
  /**
   * `dilated` (default): layer4 keeps the time steps and looks twice as far in time instead, so that 16 frames end in
   * 4 steps (TCLR and TimeBalance). `strided`: torchvision's plain network, 16 frames end in 2.
   */
  lastStage?: 'dilated' | 'strided';
  /** Time steps of the features. Default 4. */
  slices?: number;
}

/**
 * R3D-18 (Tran et al., CVPR 2018) with torchvision's keys, and by default the last stage of TCLR (Dave et al., CVIU
 * 2022): 33,166,272 parameters. Time and size shrink by 4 (8 if strided) and 16.
 */
export class R3D18 extends VideoBackbone {
  override readonly features = 512;
  override readonly slices: number;
  readonly stem: nn.Sequential;
  readonly layer1: nn.Sequential;
  readonly layer2: nn.Sequential;
  readonly layer3: nn.Sequential;
  readonly layer4: nn.Sequential;

  constructor({ lastStage = 'dilated', slices = 4 }: R3D18Options = {}) {
    super();
    this.slices = slices;
    this.stem = convNormReLU(
      new nn.Conv3d(3, 64, { kernelSize: [3, 7, 7], stride: [1, 2, 2], padding: [1, 3, 3], bias: false }),
      64,
    );
    this.layer1 = residualStage(64, 64, { blocks: 2, stride: [1, 1, 1] });
    this.layer2 = residualStage(64, 128, { blocks: 2, stride: [2, 2, 2] });
    this.layer3 = residualStage(128, 256, { blocks: 2, stride: [2, 2, 2] });
    this.layer4 = residualStage(
      256,
      512,
      lastStage === 'dilated' ? { blocks: 2, stride: [1, 2, 2], timeDilation: 2 } : { blocks: 2, stride: [2, 2, 2] },
    );
    initialiseConvolutions(this);
    if (lastStage === 'dilated') {
      resetReplacedConvolutions(this.layer4);
    }
  }

  override featureMap(clips: Tensor): Tensor {
    return nn.chain([this.stem, this.layer1, this.layer2, this.layer3, this.layer4], clips);
  }
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
