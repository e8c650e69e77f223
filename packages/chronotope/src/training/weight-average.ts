import { type nn, optim } from '@chronotope/torch';

/**
 * An exponential moving average of a module's weights while it is trained. It starts with a short memory, as an average
 * over few steps must: step s, counted from 0, keeps the share min(decay, (1 + s) / (10 + s)), TensorFlow's rule.
 */
export class WeightAverage extends optim.EMA {
  readonly #decay: number;

  constructor(module: nn.Module, decay: number) {
    super(module, { decay });
    this.#decay = decay;
  }

  /** After an optimiser step. */
  take(step: number): void {
    this.update({ decay: Math.min(this.#decay, (1 + step) / (10 + step)) });
  }
}
