import { nn, scope, type Tensor } from '@chronotope/torch';

/** Settings of {@link ProjectionHead}. */
export interface ProjectionHeadOptions {
  /** Width between the two linear layers. Default: as many as the features. */
  hidden?: number;
  /** Dimensions of the embedding, D. Default 128. */
  dimensions?: number;
}

/** Embeddings of clips as a whole and of their K slices. */
export interface SliceProjection {
  /** `[N, D]` */
  pooled: Tensor;
  /** K tensors `[N, D]`, in the order of time. */
  slices: Tensor[];
}

/**
 * The two-layer head of TCLR and TimeBalance (method note 4.4): y = normalise(bn2(fc2(relu(bn1(fc1 x))))), unit vectors.
 * {@link pooled} and {@link slices} are the official kinds `d` and `s`.
 */
export class ProjectionHead extends nn.Module {
  readonly fc1: nn.Linear;
  readonly bn1: nn.BatchNorm1d;
  readonly bn2: nn.BatchNorm1d;
  readonly fc2: nn.Linear;

  constructor(features: number, { hidden = features, dimensions = 128 }: ProjectionHeadOptions = {}) {
    super();
    // The order of the fields is the order of the official state dict.
    this.fc1 = new nn.Linear(features, hidden);
    this.bn1 = new nn.BatchNorm1d(hidden);
    this.bn2 = new nn.BatchNorm1d(dimensions);
    this.fc2 = new nn.Linear(hidden, dimensions, { bias: false });
  }

  /** Feature vectors `[N, F]` to unit vectors `[N, D]`. */
  override forward(x: Tensor): Tensor {
    const hidden = this.bn1.call(this.fc1.call(x)).relu_();
    return nn.functional.normalize(this.bn2.call(this.fc2.call(hidden)), { dim: 1 });
  }

  /** Feature vectors `[N, F]` to unit vectors `[N, D]`, all in one batch. */
  project(x: Tensor): Tensor {
    return this.call(x);
  }

  /** Embeds clips as a whole: the average over time comes before the head. `[N, F, K, 1, 1]` to `[N, D]`. */
  pooled(features: Tensor): Tensor {
    return scope(() => this.call(features.mean([2, 3, 4])));
  }

  /**
   * Embeds clips as a whole and slice by slice. The head runs K + 1 times, each with batch statistics and an update of
   * the running statistics of its own, as the official code does.
   *
   * @param features `[N, F, K, 1, 1]`
   */
  slices(features: Tensor): SliceProjection {
    return scope(() => ({
      pooled: this.pooled(features),
      slices: features
        .mean([3, 4])
        .unbind({ dim: 2 })
        .map((slice) => this.call(slice)),
    }));
  }
}
