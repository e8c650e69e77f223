import { nn, scope, type Tensor } from '@chronotope/torch';
import type { VideoBackbone } from './backbone.js';

/** Settings of {@link Classifier}. */
export interface ClassifierOptions {
  /** Share of the features set to zero in training. Default 0.5; the official R3D-18 classifier has 0. */
  dropout?: number;
}

/** A backbone, the average of its feature map over space and time, dropout, and a linear layer (`fc`). */
export class Classifier<Backbone extends VideoBackbone = VideoBackbone> extends nn.Module {
  readonly backbone: Backbone;
  readonly dropout: nn.Dropout;
  readonly fc: nn.Linear;

  /** @param classes number of classes, C */
  constructor(backbone: Backbone, classes: number, { dropout = 0.5 }: ClassifierOptions = {}) {
    super();
    this.backbone = backbone;
    this.dropout = new nn.Dropout(dropout);
    this.fc = new nn.Linear(backbone.features, classes);
  }

  /** Logits `[N, C]` of clips `[N, 3, T, H, W]`. */
  override forward(clips: Tensor): Tensor {
    return this.classify(this.features(clips));
  }

  /** Pooled features `[N, F]` of clips `[N, 3, T, H, W]`, before dropout. */
  features(clips: Tensor): Tensor {
    return scope(() => this.backbone.featureMap(clips).mean([2, 3, 4]));
  }

  /** Logits `[N, C]` of pooled features `[N, F]`. */
  classify(features: Tensor): Tensor {
    return scope(() => this.fc.call(this.dropout.call(features)));
  }
}
