import { autocast, GradScaler, type GradScalerState, optim, scope, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import type { MetricsWindow } from './metrics-window.js';

/** What one batch contributes: a scalar to minimise, scalars to log, and which samples made it. */
export interface StepLoss {
  loss: Tensor;
  metrics: Record<string, Tensor>;
  ids: readonly string[];
}

/** The 16-bit types of mixed precision. */
export type HalfType = 'bfloat16' | 'float16';

/** Settings of {@link OptimizerStep}. */
export interface OptimizerStepOptions<Batch> {
  optimizer: optim.Optimizer;
  /** Waits until a batch can be had; the time counts as waiting for data. Default: nothing to wait for. */
  ready?: (index: number) => Promise<unknown>;
  /**
   * Makes a batch; must depend on its number alone. Batches are counted from 0 through all steps: with `accumulate` of k,
   * step s takes the batches k·s to k·s + k − 1.
   */
  batch: (index: number) => Batch;
  /** The mean loss of a batch, for the step of which the batch is a part. */
  loss: (batch: Batch, step: number) => StepLoss;
  /** Batches in one optimiser step; its loss is the mean of theirs. Default 1. */
  accumulate?: number;
  /** Largest joint norm of all gradients, which are scaled down to it. Default: they stay as they are. */
  clipGradients?: number;
  /** Computes the loss in mixed precision. Default: float32 throughout. */
  amp?: HalfType;
  /** Runs the forward and backward passes of all but the last batch of a step: several processes exchange nothing there. */
  withoutExchange?: (body: () => void) => void;
}

/** One update of the weights: its batches forward and backward, the gradients' clipping, and the optimiser. */
export class OptimizerStep<Batch> {
  /** Scales losses, so that small gradients do not vanish in float16; does nothing in the other types. */
  readonly scaler: GradScaler;
  readonly #options: OptimizerStepOptions<Batch>;
  readonly #device: 'cpu' | 'cuda';

  /** @param scaler the state of the scaler where an interrupted run stopped */
  constructor(options: OptimizerStepOptions<Batch>, scaler?: GradScalerState) {
    this.#options = options;
    this.#device = options.optimizer.paramGroups[0]!.params[0]!.device.startsWith('cuda') ? 'cuda' : 'cpu';
    this.scaler = new GradScaler({ enabled: options.amp === 'float16' });
    if (scaler) this.scaler.loadStateDict(scaler);
  }

  /**
   * Everything a step makes is freed with it.
   *
   * @returns the mean loss of its batches
   * @throws ChronotopeError `loss-not-finite`, `gradients-not-finite`, naming the samples
   */
  async run(step: number, window: MetricsWindow): Promise<number> {
    const { optimizer, ready, accumulate = 1, withoutExchange = (body) => body() } = this.#options;
    const ids: string[] = [];
    let sum = 0;
    const runBatch = (index: number) => {
      const batch = scope(() => this.#forwardAndBackward(step, index, window));
      ids.push(...batch.ids);
      sum += batch.loss;
    };
    optimizer.zeroGrad();
    for (let part = 0; part < accumulate; part++) {
      const index = step * accumulate + part;
      await window.timeOf('data', ready?.(index));
      if (part + 1 < accumulate) withoutExchange(() => runBatch(index));
      else runBatch(index);
    }
    window.time('optimizer', () => scope(() => this.#update(step, ids, window)));
    return sum / accumulate;
  }

  #forwardAndBackward(step: number, index: number, window: MetricsWindow): { loss: number; ids: readonly string[] } {
    const { accumulate = 1 } = this.#options;
    const batch = window.time('data', () => this.#options.batch(index));
    const { loss, metrics, ids, value } = window.time('forward', () => {
      const result = this.#loss(batch, step);
      return { ...result, value: result.loss.item() };
    });
    if (!Number.isFinite(value)) throw lossNotFinite(step, value, ids, metrics);
    window.time('backward', () => this.scaler.scale(loss.div(accumulate)).backward());
    window.addBatch({ loss, ...metrics }, ids.length);
    return { loss: value, ids };
  }

  #loss(batch: Batch, step: number): StepLoss {
    const { loss, amp: dtype } = this.#options;
    return dtype ? autocast({ device: this.#device, dtype }, () => loss(batch, step)) : loss(batch, step);
  }

  #update(step: number, ids: readonly string[], window: MetricsWindow): void {
    const { optimizer, clipGradients } = this.#options;
    const { scaler } = this;
    if (scaler.enabled) window.add('lossScale', scaler.getScale());
    if (clipGradients !== undefined) {
      scaler.unscale_(optimizer);
      const parameters = optimizer.paramGroups.flatMap(({ params }) => params);
      const norm = optim.clipGradNorm_(parameters, clipGradients).item();
      if (Number.isFinite(norm)) window.add('gradientNorm', norm);
      else if (!scaler.enabled) throw gradientsNotFinite(step, norm, ids);
    }
    scaler.step(optimizer);
    scaler.update();
  }
}

function lossNotFinite(
  step: number,
  value: number,
  ids: readonly string[],
  metrics: Record<string, Tensor>,
): ChronotopeError {
  return new ChronotopeError('loss-not-finite', `the loss became ${value} at step ${step + 1}`, {
    hint: 'Lower the learning rate of this stage, or look at the videos named in the details.',
    details: {
      step: step + 1,
      ids: [...ids],
      metrics: Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, String(metric.item())])),
    },
  });
}

function gradientsNotFinite(step: number, norm: number, ids: readonly string[]): ChronotopeError {
  return new ChronotopeError('gradients-not-finite', `the norm of the gradients became ${norm} at step ${step + 1}`, {
    hint: 'Lower the learning rate of this stage, or look at the videos named in the details.',
    details: { step: step + 1, ids: [...ids] },
  });
}
