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
  #isFrozen = false;

  /** @param classes number of classes, C */
  constructor(backbone: Backbone, classes: number, { dropout = 0.5 }: ClassifierOptions = {}) {
    super();
    this.backbone = backbone;
    this.dropout = new nn.Dropout(dropout);
    this.fc = new nn.Linear(backbone.features, classes);
  }

  /** Keeps the backbone as it is from now on: no gradients, and evaluation mode also while the classifier layer trains. */
  freezeBackbone(): void {
    this.#isFrozen = true;
    this.backbone.requiresGrad_(false).eval();
  }

  override train(mode = true): this {
    super.train(mode);
    if (this.#isFrozen) this.backbone.eval();
    return this;
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
