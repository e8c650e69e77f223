import type { nn, Tensor } from '@chronotope/torch';
import { VideoBackbone } from './backbone.js';
import { ResNet18, ResNet50, type ResNetOptions } from './image-resnet.js';

/** Which image network sees the frames. */
export type FrameResNetName = 'resnet18' | 'resnet50';

/** Settings of a {@link FrameResNet}. */
export interface FrameResNetOptions extends Omit<ResNetOptions, 'classes'> {
  /** Consecutive parts of a clip that have features of their own. Default 1. */
  slices?: number;
}

/** The image network of a name, without a classifier. */
export function createImageBackbone(name: FrameResNetName, options: ResNetOptions = {}): ResNet18 | ResNet50 {
  return name === 'resnet18' ? new ResNet18(options) : new ResNet50(options);
}

/**
 * A video network that sees one frame at a time: an image ResNet on each frame, its features averaged over time where
 * they are pooled. With it a representation that was learnt from images serves everything that works on clips. Its keys
 * are those of the image network.
 */
export class FrameResNet extends VideoBackbone {
  readonly features: number;
  readonly slices: number;
  readonly timeStride = 1;
  readonly spaceStride = 32;
  readonly keyStyle = 'torchvision';
  // The image network's layers, so that they are registered under its keys; the network itself would add a prefix.
  readonly conv1: nn.Module;
  readonly bn1: nn.Module;
  readonly layer1: nn.Module;
  readonly layer2: nn.Module;
  readonly layer3: nn.Module;
  readonly layer4: nn.Module;
  readonly #image: ResNet18 | ResNet50;

  /** @param image a network without a classifier, whose weights are shared */
  constructor(image: ResNet18 | ResNet50, { slices = 1 }: Pick<FrameResNetOptions, 'slices'> = {}) {
    super();
    this.#image = image;
    this.features = image.features;
    this.slices = slices;
    this.conv1 = image.conv1;
    this.bn1 = image.bn1;
    this.layer1 = image.layer1;
    this.layer2 = image.layer2;
    this.layer3 = image.layer3;
    this.layer4 = image.layer4;
  }

  /** `[N, 3, T, H, W]` to `[N, F, T, H / 32, W / 32]`. */
  override featureMap(clips: Tensor): Tensor {
    const [videos, , frames] = clips.shape as [number, number, number];
    const images = clips.transpose(1, 2).flatten({ startDim: 0, endDim: 1 });
    const map = this.#image.featureMap(images);
    return map.reshape([videos, frames, ...map.shape.slice(1)]).transpose(1, 2);
  }
}
