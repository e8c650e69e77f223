import { distributed as dist, manualSeed, nn, randint, scope, type Tensor } from '@chronotope/torch';
import type { StepLoss } from './optimizer-step.js';

type Loss<Batch> = (batch: Batch, step: number) => StepLoss;

/** How a step computes its loss and gradients when several processes train one module. */
export interface ParallelLoss<Batch> {
  loss: Loss<Batch>;
  /** Runs a forward and a backward pass whose gradients stay in this process until the next pass outside. */
  withoutExchange?: (body: () => void) => void;
  /** Ends the exchange of gradients. */
  end: () => void;
}

/**
 * Averages the gradients of a module over all processes whenever this loss is propagated back; alone, nothing changes.
 * The method need not know: it may call the module as often as it likes within one loss.
 */
export function parallelLoss<Batch>(
  module: nn.Module,
  loss: Loss<Batch>,
  { syncBatchNorm }: { syncBatchNorm: boolean },
): ParallelLoss<Batch> {
  if (dist.worldSize() === 1) return { loss, end: () => {} };
  if (syncBatchNorm) dist.convertSyncBatchNorm(module);
  const parallel = new dist.DistributedDataParallel(new LossModule(module, loss));
  return {
    loss: (batch, step) => parallel.call(batch, step) as StepLoss,
    withoutExchange: (body) => parallel.noSync(body),
    end: () => void parallel.unwrap(),
  };
}

/**
 * The samples of all processes in the order of one whole batch, for losses that compare samples with each other. Every
 * process then computes the same loss, and the gradients are those of one process with the whole batch.
 *
 * @param samples `[..., N, ...]`, N the same in all processes
 * @param dim where N is
 */
export function gatherSamples(samples: Tensor, dim: number): Tensor {
  if (dist.worldSize() === 1) return samples;
  return dist.allGatherWithGrad(samples.transpose(0, dim).contiguous()).transpose(0, dim);
}

/** Gives every process but the first random numbers of its own, so that they do not all drop the same units. */
export function separateRandomNumbers(): void {
  if (dist.rank() === 0) return;
  const seed = scope(() => randint(0, 2 ** 31, [1]).item());
  manualSeed(seed + dist.rank());
}

/** All that a step computes as one forward pass, as DistributedDataParallel wants it. */
class LossModule<Batch> extends nn.Module {
  readonly module: nn.Module;
  readonly #loss: Loss<Batch>;

  constructor(module: nn.Module, loss: Loss<Batch>) {
    super();
    this.module = module;
    this.#loss = loss;
  }

  override forward(batch: Batch, step: number): StepLoss {
    return this.#loss(batch, step);
  }
}
