import { noGrad } from '../autograd.js';
import { TorchError } from '../errors.js';
import { cat } from '../generated/operators.js';
import type { Held } from '../native.js';
import { Module } from '../nn/module.js';
import type { Parameter } from '../nn/parameter.js';
import { refusePromise, scope, TensorHandle } from '../scope.js';
import type { Tensor } from '../tensor.js';
import { assignBuckets } from './buckets.js';
import { allGatherObject, broadcast } from './collectives.js';
import { group, keepReducer, removeReducer } from './process-group.js';

/** Settings of {@link DistributedDataParallel}. */
export interface DataParallelOptions {
  /** Size of the buckets in which gradients are reduced, in MB. Default 25. */
  bucketMegabytes?: number;
  /**
   * Allow backward passes that give some parameters no gradient. Such a parameter counts as zero on that rank, and keeps
   * the gradient it had (mostly none) when no rank uses it. Costs one more small all-reduce a step. Default false: an
   * error that names the parameters.
   */
  findUnusedParameters?: boolean;
  /** Copy rank 0's buffers (running statistics) to all ranks before each forward pass in training. Default true. */
  broadcastBuffers?: boolean;
}

const MEGABYTE = 1024 * 1024;

/**
 * A module that is trained by all ranks of the process group, each on its own share of the batch: after `backward()`
 * every rank has the gradients averaged over all ranks, so that equal optimisers take equal steps. As the loss is a mean
 * over the samples, two ranks with batches of B do what one process does with a batch of 2B (but see
 * {@link SyncBatchNorm}).
 *
 * At the start all ranks get rank 0's parameters and buffers. Gradients are reduced in buckets while the backward pass
 * still runs, as PyTorch's DistributedDataParallel does (Li et al., VLDB 2020); the `.grad` tensors are views of the
 * buckets, so `clone()` what must outlive the step. Freeze parameters and move the module to its device before wrapping
 * it; every step of every rank runs one forward through this wrapper and one backward pass (see {@link noSync}).
 */
export class DistributedDataParallel<M extends Module> extends Module {
  readonly module: M;
  readonly #addon = group().addon;
  readonly #reducer: Held<'reducer'>;
  readonly #broadcastBuffers: boolean;
  #synchronises = true;

  /**
   * @throws TorchError `argument` when nothing in the module requires a gradient; `distributed` without a process group,
   *   or when the ranks' modules differ, naming the first parameter or buffer that does
   */
  constructor(module: M, options: DataParallelOptions = {}) {
    super();
    const { bucketMegabytes = 25, findUnusedParameters = false, broadcastBuffers = true } = options;
    this.module = module;
    this.#broadcastBuffers = broadcastBuffers;
    const trained = [...module.namedParameters()].filter(([, parameter]) => parameter.requiresGrad);
    if (trained.length === 0) {
      throw new TorchError(`nothing in ${module.constructor.name} requires a gradient`, {
        code: 'argument',
        hint: 'a module that is not trained needs no wrapper',
      });
    }
    if (!(bucketMegabytes > 0)) {
      throw new TorchError(`bucketMegabytes must lie above 0, and is ${bucketMegabytes}`, { code: 'argument' });
    }
    refuseDifferences(module, { bucketMegabytes, findUnusedParameters });
    scope(() => broadcastAll([...module.stateDict().values()]));
    this.#reducer = addReducer(trained, bucketMegabytes * MEGABYTE, findUnusedParameters);
  }

  /** The wrapped module's result. */
  override forward(...inputs: Parameters<M['forward']>): ReturnType<M['forward']> {
    this.#addon.prepareReducer(this.#reducer, this.#synchronises);
    if (this.#broadcastBuffers && this.#synchronises && this.training) {
      broadcastAll([...this.module.namedBuffers().values()]);
    }
    return this.module.call(...inputs) as ReturnType<M['forward']>;
  }

  /**
   * Runs forward and backward passes whose gradients stay on this rank and add up there; the next backward pass outside
   * reduces the sum. So gradient accumulation communicates once.
   */
  noSync<R>(body: () => R): R {
    this.#synchronises = false;
    this.#addon.prepareReducer(this.#reducer, false);
    try {
      const result = body();
      refusePromise(result);
      return result;
    } finally {
      this.#synchronises = true;
      this.#addon.prepareReducer(this.#reducer, true);
    }
  }

  /** Stops reducing gradients, as {@link destroyProcessGroup} does; the module itself stays as it is. */
  unwrap(): M {
    removeReducer(this.#reducer);
    return this.module;
  }
}

function addReducer(trained: [string, Parameter][], bytes: number, allowUnused: boolean): Held<'reducer'> {
  const names = new Map(trained.map(([name, parameter]) => [parameter, name]));
  const buckets = assignBuckets([...names.keys()], { firstBytes: Math.min(bytes, MEGABYTE), bytes });
  const handles = buckets.map((bucket) => bucket.map((parameter) => TensorHandle.of(parameter)));
  const namesInOrder = buckets.flat().map((parameter) => names.get(parameter)!);
  return keepReducer(group().addon.addReducer(handles, namesInOrder, allowUnused));
}

/** Ranks whose modules or options differ would wait for each other for ever, or mix up parameters. */
function refuseDifferences(module: Module, options: DataParallelOptions): void {
  const own = scope(() => {
    const trained = [...module.namedParameters()].flatMap(([key, { requiresGrad }]) => (requiresGrad ? [key] : []));
    const state = [...module.stateDict()].map(([key, { dtype, shape }]) => `${key} ${dtype} [${shape}]`);
    return [...state, ...trained.map((key) => `${key} with gradients`), JSON.stringify(options)];
  });
  const [first, ...others] = allGatherObject(own);
  for (const [index, other] of others.entries()) {
    const at = first!.findIndex((line, i) => line !== other[i]);
    if (at < 0) continue;
    throw new TorchError(
      `the ranks' modules or options differ: rank 0 has ${first![at]}, rank ${index + 1} ${other[at]}`,
      { code: 'distributed', hint: 'build the same module with the same options on every rank' },
    );
  }
}

/** Gives all ranks rank 0's values, in one collective for each dtype. */
function broadcastAll(tensors: readonly Tensor[]): void {
  for (const dtype of new Set(tensors.map((tensor) => tensor.dtype))) {
    scope(() =>
      noGrad(() => {
        const alike = tensors.filter((tensor) => tensor.dtype === dtype);
        const flat = cat(alike.map((tensor) => tensor.detach().reshape([-1])));
        broadcast(flat);
        let offset = 0;
        for (const tensor of alike) {
          tensor.copy_(flat.narrow(0, offset, tensor.numel).reshape(tensor.shape));
          offset += tensor.numel;
        }
      }),
    );
  }
}
