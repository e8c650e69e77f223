import { nn, type Tensor } from '@chronotope/torch';

/** An image network: `[N, 3, S, S]` to `[N, F]`. */
export type ImageBackbone = nn.Module & { readonly features: number; forward(images: Tensor): Tensor };

/** Settings of {@link CclEncoder}. */
export interface CclEncoderOptions {
  /** Two layers as in MoCo v2 and CCL, or one as in MoCo v1. Default `mlp`. */
  head?: 'mlp' | 'linear';
  /** A head of its own for the cycle loss (official), or one for both losses. Default `separate`. */
  heads?: 'separate' | 'shared';
  /** Width of the embeddings, C. Default 128. */
  dimensions?: number;
}

/** Unit vectors `[N, C]` for the two losses; the same tensor where they share a head. */
export interface Embeddings {
  intra: Tensor;
  cycle: Tensor;
}

/** Backbone and projection heads; the query encoder and the momentum encoder are one each (CCL's note 2.5). */
export class CclEncoder<Backbone extends ImageBackbone = ImageBackbone> extends nn.Module {
  readonly backbone: Backbone;
  readonly head: nn.Module & { forward(x: Tensor): Tensor };
  /** `null` where both losses share {@link head}. */
  readonly cycleHead: (nn.Module & { forward(x: Tensor): Tensor }) | null;

  constructor(backbone: Backbone, { head = 'mlp', heads = 'separate', dimensions = 128 }: CclEncoderOptions = {}) {
    super();
    this.backbone = backbone;
    this.head = projection(head, backbone.features, dimensions);
    this.cycleHead = heads === 'separate' ? projection(head, backbone.features, dimensions) : null;
  }

  override forward(images: Tensor): Embeddings {
    const features = this.backbone.call(images);
    const intra = unit(this.head.call(features));
    const cycle = this.cycleHead ? unit(this.cycleHead.call(features)) : intra;
    return { intra, cycle };
  }
}

/** Rows of length 1, float32 also in mixed precision, as queues hold them. */
function unit(embeddings: Tensor): Tensor {
  return nn.functional.normalize(embeddings.to({ dtype: 'float32' }), { dim: 1 });
}

/** Linear-ReLU-Linear without batch normalisation, with the official keys `0.*` and `2.*`; or one linear layer. */
function projection(kind: 'mlp' | 'linear', features: number, dimensions: number) {
  if (kind === 'linear') return new nn.Linear(features, dimensions);
  return new nn.Sequential(new nn.Linear(features, features), new nn.ReLU(), new nn.Linear(features, dimensions));
}
