/**
 * Collectives: every rank calls the same ones in the same order with tensors of the same shape and dtype. The plain
 * functions return when the result is there, and throw TorchError `distributed` on all ranks when the ranks called
 * different ones. Their `Async` twins wait outside JavaScript's thread, and cannot check that.
 */
import { noGrad } from '../autograd.js';
import { empty, tensor as makeTensor } from '../creation.js';
import { nativeError, TorchError } from '../errors.js';
import type { Held } from '../native.js';
import { Operator } from '../operator.js';
import { keep, scope, TensorHandle } from '../scope.js';
import { type DType, Tensor } from '../tensor.js';
import { refuseDisagreement } from './agreement.js';
import { group } from './process-group.js';

/** How values of several ranks become one. */
export type Reduction = 'sum' | 'mean' | 'min' | 'max';

export interface ReduceOptions {
  /** Default `sum`. `mean` needs a floating-point dtype. */
  op?: Reduction;
}

export interface BroadcastOptions {
  /** The rank whose values the others get. Default 0. */
  src?: number;
}

/** A collective that runs: what to wait for, where the result arrives, and what to make of it then. */
interface Started<R> {
  /** null where there is nothing to do. */
  work: Held<'work'> | null;
  values: Tensor;
  finish: (values: Tensor) => R;
}

const REDUCIBLE: readonly DType[] = ['float32', 'float64', 'float16', 'bfloat16', 'int64', 'int32', 'int8', 'uint8'];

const viewAs = new Operator<Tensor>('aten::view', 'dtype');

/** Combines the tensors of all ranks, element by element, in place: afterwards all ranks hold the same. */
export function allReduce(tensor: Tensor, options: ReduceOptions = {}): void {
  wait(`all-reduce by ${options.op ?? 'sum'}`, tensor, () => startAllReduce(tensor, options));
}

/** {@link allReduce} whose wait does not block; leave the tensor alone until the promise is fulfilled. */
export function allReduceAsync(tensor: Tensor, options: ReduceOptions = {}): Promise<void> {
  return waitOffThread(() => startAllReduce(tensor, options));
}

/** Overwrites the tensor of every rank with that of rank `src`, in place. Any dtype. */
export function broadcast(tensor: Tensor, options: BroadcastOptions = {}): void {
  wait(`broadcast from ${options.src ?? 0}`, tensor, () => startBroadcast(tensor, options));
}

/** {@link broadcast} whose wait does not block; leave the tensor alone until the promise is fulfilled. */
export function broadcastAsync(tensor: Tensor, options: BroadcastOptions = {}): Promise<void> {
  return waitOffThread(() => startBroadcast(tensor, options));
}

/**
 * The tensors `[N, ...]` of all ranks, concatenated in the order of the ranks: `[worldSize * N, ...]`; numbers `[]`
 * become `[worldSize]`. Any dtype. The result is a constant for autograd, as MoCo's queue wants it; see
 * {@link allGatherWithGrad}.
 */
export function allGather(tensor: Tensor): Tensor {
  return wait('all-gather', tensor, () => startAllGather(tensor));
}

/** {@link allGather} whose wait does not block; leave the tensor alone until the promise is fulfilled. */
export function allGatherAsync(tensor: Tensor): Promise<Tensor> {
  return waitOffThread(() => startAllGather(tensor));
}

/**
 * {@link allGather} with the true gradient: the backward pass sums, over all ranks, the gradients of the rows that this
 * rank contributed (an all-reduce). So the gradient with respect to `tensor` is that of the *sum* of all ranks' losses,
 * as in SimCLR's gather layer and torch.distributed.nn; {@link DistributedDataParallel}'s averaging then makes it that
 * of their mean. Every rank must run the backward pass through it.
 */
export function allGatherWithGrad(tensor: Tensor): Tensor {
  if (tensor.ndim === 0) {
    throw new TorchError('allGatherWithGrad takes tensors with at least one dimension', {
      code: 'argument',
      hint: 'make a row of it with tensor.reshape([1])',
    });
  }
  return scope(() => {
    const gathered = allGather(tensor);
    return new Tensor(group().addon.linkAllGather(TensorHandle.of(tensor), TensorHandle.of(gathered)));
  });
}

/**
 * Combines the tensors `[worldSize * N, ...]` of all ranks and gives each rank its own N rows of the result `[N, ...]`.
 *
 * @throws TorchError `argument` when the rows cannot be dealt out evenly
 */
export function reduceScatter(tensor: Tensor, options: ReduceOptions = {}): Tensor {
  const { rank, size } = group();
  const rows = (tensor.shape[0] ?? 0) / size;
  if (!Number.isInteger(rows) || rows === 0) {
    throw new TorchError(`reduceScatter cannot deal out [${tensor.shape}] to ${size} ranks`, {
      code: 'argument',
      hint: 'the first dimension must be a multiple of the number of ranks',
    });
  }
  return scope(() =>
    noGrad(() => {
      const total = tensor.clone();
      allReduce(total, options);
      return total.narrow(0, rank * rows, rows).clone();
    }),
  );
}

/** Returns when every rank has called it. */
export function barrier(): void {
  wait('barrier', null, startBarrier);
}

/** {@link barrier} whose wait does not block. */
export function barrierAsync(): Promise<void> {
  return waitOffThread(startBarrier);
}

/** What every rank passes, in the order of the ranks. Values go as JSON, so only what JSON holds arrives. */
export function allGatherObject<T>(value: T): T[] {
  return scope(() => {
    const { device, size } = group();
    const bytes = new TextEncoder().encode(JSON.stringify(value) ?? 'null');
    const lengths = allGather(makeTensor([bytes.length], { dtype: 'int64', device })).toArray() as number[];
    const longest = Math.max(...lengths);
    const padded = new Uint8Array(longest);
    padded.set(bytes);
    const all = allGather(makeTensor(padded, { device })).data() as Uint8Array;
    return Array.from({ length: size }, (_, rank) => {
      const start = rank * longest;
      return JSON.parse(new TextDecoder().decode(all.subarray(start, start + lengths[rank]!))) as T;
    });
  });
}

function startAllReduce(tensor: Tensor, { op = 'sum' }: ReduceOptions): Started<void> {
  const { addon, size } = group();
  if (!REDUCIBLE.includes(tensor.dtype) || (op === 'mean' && !tensor.dtype.includes('float'))) {
    throw new TorchError(`the ranks' ${tensor.dtype} tensors cannot be combined by '${op}'`, {
      code: 'argument',
      hint: 'convert them first, for instance with tensor.to({ dtype: "float32" })',
    });
  }
  return noGrad(() => {
    // Older versions of Gloo do not know bfloat16.
    const wide = tensor.dtype === 'bfloat16' ? tensor.to({ dtype: 'float32' }) : tensor.detach();
    const values = wide.contiguous();
    const kind = op === 'mean' ? 'sum' : op;
    const work = values.numel === 0 ? null : addon.startAllReduce(TensorHandle.of(values), kind);
    const finish = () =>
      noGrad(() => {
        if (op === 'mean') values.div_(size);
        copyBack(values, tensor);
      });
    return { work, values, finish };
  });
}

function startBroadcast(tensor: Tensor, { src = 0 }: BroadcastOptions): Started<void> {
  const { addon, size } = group();
  if (!Number.isInteger(src) || src < 0 || src >= size) {
    throw new TorchError(`there is no rank ${src}: the group has ${size}`, { code: 'argument' });
  }
  return noGrad(() => {
    const values = tensor.detach().contiguous();
    const work = values.numel === 0 ? null : addon.startBroadcast(TensorHandle.of(bytesOf(values)), src);
    return { work, values, finish: () => noGrad(() => copyBack(values, tensor)) };
  });
}

function startAllGather(tensor: Tensor): Started<Tensor> {
  const { addon, size } = group();
  return noGrad(() => {
    const [rows = 1, ...rest] = tensor.shape;
    const values = empty([size * rows, ...rest], { dtype: tensor.dtype, device: tensor.device });
    const own = bytesOf(tensor.detach().contiguous());
    const parts = bytesOf(values).reshape([size, own.numel]);
    const work = own.numel === 0 ? null : addon.startAllGather(TensorHandle.of(parts), TensorHandle.of(own));
    return { work, values, finish: () => values };
  });
}

/** A collective that ends when all ranks take part in it. */
function startBarrier(): Started<void> {
  const token = makeTensor([0], { dtype: 'int32', device: group().device });
  return { ...startAllReduce(token, {}), finish: () => undefined };
}

/** The bytes of a contiguous tensor `[B]`: what is only moved needs no backend that knows its dtype. */
function bytesOf(contiguous: Tensor): Tensor {
  return viewAs.call(contiguous.reshape([-1]), 'uint8');
}

/** Puts the result where the caller expects it, unless it was made there. */
function copyBack(values: Tensor, tensor: Tensor): void {
  const inPlace = tensor.dtype === values.dtype && tensor.isContiguous;
  if (!inPlace) tensor.copy_(values);
}

function wait<R>(what: string, tensor: Tensor | null, start: () => Started<R>): R {
  refuseDisagreement(tensor === null ? what : `${what} of ${tensor.dtype} [${tensor.shape}]`);
  return scope(() => {
    const { work, values, finish } = start();
    if (work !== null) group().addon.waitForWork(work);
    return finish(values);
  });
}

async function waitOffThread<R>(start: () => Started<R>): Promise<R> {
  const { work, values, finish } = scope(start);
  keep(values);
  try {
    if (work !== null) await group().addon.finishWork(work);
  } catch (error) {
    throw nativeError('distributed', (error as Error).message);
  }
  const result = finish(values);
  if (result !== values) values.dispose();
  return result;
}
