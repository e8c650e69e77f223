import { nn, randn, relu } from '@chronotope/torch';
import { R3D18 } from '../../../packages/chronotope/dist/models/index.js';

const CLASSES = 10;

/** Models with the parameters of those in side.py, in the same order. */
export const MODELS = {
  mlp: () => ({ model: smallNetwork(), shape: [8, 16], classes: CLASSES }),
  vit: () => ({ model: new ViTTiny(), shape: [32, 3, 64, 64], classes: CLASSES }),
  resnet18: () => ({ model: new ResNet18(), shape: [32, 3, 64, 64], classes: CLASSES }),
  r3d18: () => ({ model: new R3DClassifier(), shape: [8, 3, 8, 64, 64], classes: CLASSES }),
};

function smallNetwork() {
  return new nn.Sequential(
    new nn.Linear(16, 32),
    new nn.ReLU(),
    new nn.Linear(32, 32),
    new nn.ReLU(),
    new nn.Linear(32, CLASSES),
  );
}

/** torchvision's r3d_18. */
class R3DClassifier extends nn.Module {
  backbone = new R3D18({ lastStage: 'strided', slices: 1 });
  fc = new nn.Linear(512, CLASSES);

  forward(x) {
    return this.fc.call(this.backbone.call(x).flatten({ startDim: 1 }));
  }
}

/** Patches of 8, 12 layers of width 192 with 3 heads; the classifier reads the mean of the tokens. */
class ViTTiny extends nn.Module {
  positions = new nn.Parameter(randn([1, 64, 192]).mul(0.02));
  patches = new nn.Conv2d(3, 192, { kernelSize: 8, stride: 8 });
  layers = new nn.ModuleList(
    Array.from(
      { length: 12 },
      () =>
        new nn.TransformerEncoderLayer(192, 3, {
          dimFeedforward: 768,
          dropout: 0,
          activation: 'gelu',
          batchFirst: true,
          normFirst: true,
        }),
    ),
  );
  norm = new nn.LayerNorm(192);
  head = new nn.Linear(192, CLASSES);

  forward(x) {
    let tokens = this.patches.call(x).flatten({ startDim: 2 }).transpose(1, 2).add(this.positions);
    for (const layer of this.layers) tokens = layer.call(tokens);
    return this.head.call(this.norm.call(tokens).mean(1));
  }
}

class BasicBlock extends nn.Module {
  constructor(inChannels, outChannels, stride) {
    super();
    this.conv1 = new nn.Conv2d(inChannels, outChannels, { kernelSize: 3, stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(outChannels);
    this.conv2 = new nn.Conv2d(outChannels, outChannels, { kernelSize: 3, padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outChannels);
    this.downsample =
      stride === 1
        ? null
        : new nn.Sequential(
            new nn.Conv2d(inChannels, outChannels, { kernelSize: 1, stride, bias: false }),
            new nn.BatchNorm2d(outChannels),
          );
  }

  forward(x) {
    const residual = this.bn2.call(this.conv2.call(this.bn1.call(this.conv1.call(x)).relu_()));
    return residual.add_(this.downsample ? this.downsample.call(x) : x).relu_();
  }
}

/** torchvision's resnet18 (He et al., CVPR 2016). */
class ResNet18 extends nn.Module {
  conv1 = new nn.Conv2d(3, 64, { kernelSize: 7, stride: 2, padding: 3, bias: false });
  bn1 = new nn.BatchNorm2d(64);
  pool = new nn.MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 });
  stages = new nn.Sequential(
    ...[64, 128, 256, 512].flatMap((channels, i) => [
      new BasicBlock(i === 0 ? 64 : channels / 2, channels, i === 0 ? 1 : 2),
      new BasicBlock(channels, channels, 1),
    ]),
  );
  fc = new nn.Linear(512, CLASSES);

  forward(x) {
    const features = this.pool.call(relu(this.bn1.call(this.conv1.call(x))));
    return this.fc.call(this.stages.call(features).mean([2, 3]));
  }
}
