import { conv2d, nn, noGrad, type Tensor, tensor } from '@chronotope/torch';

/** An image network that gives a feature map: {@link ResNet18}, {@link ResNet50} or {@link AlexNet}. */
export type TrackingBackbone = nn.Module & {
  /** Channels of the feature map, F. */
  readonly features: number;
  featureMap(images: Tensor): Tensor;
};

/** Settings of {@link SiamFC}. */
export interface SiamFCOptions {
  /**
   * Channels of the two 1x1 convolutions behind the backbone, one for exemplars and one for search images. Default
   * null: the backbone's features are compared as they are.
   */
  head?: number | null;
  /** Factor of the correlation, which keeps the response in the range of logits. */
  outScale: number;
  /** Normalise the images by ImageNet's mean and deviation. Default true; AlexNet takes them as they are. */
  normalise?: boolean;
  /** The backbone learns nothing and its batch statistics stay as they are. Default true. */
  frozen?: boolean;
}

/** Of images with values from 0 to 255. */
const IMAGENET = { mean: [123.675, 116.28, 103.53], deviation: [58.395, 57.12, 57.375] };

/**
 * SiamFC (Bertinetto et al., ECCVW 2016): how well an exemplar fits to every place of a search image, as the
 * cross-correlation of their features. Images are float32 `[N, 3, H, W]`, red, green, blue, values from 0 to 255.
 */
export class SiamFC extends nn.Module {
  readonly backbone: TrackingBackbone;
  readonly exemplarHead: nn.Conv2d | null;
  readonly searchHead: nn.Conv2d | null;
  readonly outScale: number;
  readonly #normalise: boolean;
  readonly #frozen: boolean;

  constructor(backbone: TrackingBackbone, options: SiamFCOptions) {
    super();
    const { head = null, outScale, normalise = true, frozen = true } = options;
    this.backbone = backbone;
    const newHead = () => (head === null ? null : new nn.Conv2d(backbone.features, head, { kernelSize: 1 }));
    this.exemplarHead = newHead();
    this.searchHead = newHead();
    this.outScale = outScale;
    this.#normalise = normalise;
    this.#frozen = frozen;
  }

  /** What learns: the heads, and the backbone unless it is frozen. */
  trainable(): nn.Parameter[] {
    return this.#frozen
      ? [this.exemplarHead, this.searchHead].flatMap((head) => head?.parameters() ?? [])
      : this.parameters();
  }

  /** A frozen backbone stays as in evaluation. */
  override train(mode = true): this {
    super.train(mode);
    if (this.#frozen) this.backbone.eval();
    return this;
  }

  /** Features of exemplars, `[N, C, h, w]`. */
  exemplar(images: Tensor): Tensor {
    const features = this.featuresOf(images);
    return this.exemplarHead ? this.exemplarHead.call(features) : features;
  }

  /** Features of search images, `[N, C, H, W]`. */
  search(images: Tensor): Tensor {
    const features = this.featuresOf(images);
    return this.searchHead ? this.searchHead.call(features) : features;
  }

  /**
   * How well exemplars fit to the places of search images: features `[N, C, h, w]` (or `[1, C, h, w]`, one for all) and
   * `[N, C, H, W]` to logits `[N, 1, H - h + 1, W - w + 1]`.
   */
  response(exemplar: Tensor, search: Tensor): Tensor {
    return crossCorrelation(exemplar, search).mul(this.outScale);
  }

  /** Exemplar and search images of N pairs to responses. */
  override forward(exemplars: Tensor, searches: Tensor): Tensor {
    return this.response(this.exemplar(exemplars), this.search(searches));
  }

  private featuresOf(images: Tensor): Tensor {
    const input = this.#normalise ? normalised(images) : images;
    const features = () => this.backbone.featureMap(input);
    return this.#frozen ? noGrad(features) : features();
  }
}

/**
 * Plain cross-correlation summed over channels, without padding: `[N, C, h, w]` or `[1, C, h, w]` on `[N, C, H, W]` to
 * `[N, 1, H - h + 1, W - w + 1]`. Pair by pair it is one convolution in N groups.
 */
export function crossCorrelation(exemplar: Tensor, search: Tensor): Tensor {
  const [exemplars] = exemplar.shape as [number];
  if (exemplars === 1) return conv2d(search, exemplar);
  const [pairs, channels, ...size] = search.shape as [number, number, number, number];
  const grouped = conv2d(search.reshape([1, pairs * channels, ...size]), exemplar, { groups: pairs });
  return grouped.transpose(0, 1);
}

function normalised(images: Tensor): Tensor {
  const perChannel = (values: number[]) => tensor(values, { device: images.device }).reshape([1, 3, 1, 1]);
  return images.sub(perChannel(IMAGENET.mean)).div(perChannel(IMAGENET.deviation));
}
