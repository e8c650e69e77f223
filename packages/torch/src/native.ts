import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { forget as forgetHeld, invoke as invokeHeld, takeThrown } from './callbacks.js';
import { nativeError, TorchError } from './errors.js';

/** Names a tensor on the native side. Stale ones are refused there. */
export type Handle = number;

/** How the native side describes an operator. */
export interface OperatorDescription {
  index: number;
  names: string[];
  /**
   * One letter a result: `T` Tensor, `L` list of tensors, `w` an argument that was written in place, `.` anything else.
   * `P` alone: one Tensor, whose handle is left in the call block.
   */
  results: string;
  /** Positions of the arguments that are written in place. */
  written: number[];
}

type ErrorFactory = (code: string, reason: string) => unknown;

/** The functions of the C++ addon. Each throws {@link TorchError}. */
export interface Native extends Partial<NativeDistributed> {
  /** Calls the operator that the call block says, see call-block.ts. */
  call(...others: unknown[]): unknown;
  setCallBlock(block: Float64Array): void;
  findOperator(name: string, overload: string): OperatorDescription;
  schemas(name: string): string[];

  fromData(data: NodeJS.TypedArray, shape: readonly number[], dtype: string): Handle;
  fromBuffer(data: NodeJS.TypedArray, shape: readonly number[], dtype: string, anchor: number): Handle;
  sharedData(tensor: Handle): ArrayBuffer;
  toData(tensor: Handle): ArrayBuffer;
  shape(tensor: Handle): number[];
  strides(tensor: Handle): number[];
  dtype(tensor: Handle): string;
  device(tensor: Handle): string;
  requiresGrad(tensor: Handle): boolean;
  gradFunctionName(tensor: Handle): string;
  gradOf(tensor: Handle): Handle | null;
  setGrad(tensor: Handle, grad: Handle | null): void;
  alias(tensor: Handle): Handle;
  release(tensor: Handle): void;
  /** Of the list only the first ones count. */
  release(tensors: Float64Array, count: number): void;
  reportToCollector(tensor: Handle): void;
  storageReplaced(tensor: Handle): void;

  memory(): { liveTensors: number; liveBytes: number; cachedBytes: number; collectableBytes: number };
  backward(
    outputs: readonly Handle[],
    gradients: readonly (Handle | null)[] | null,
    retainGraph: boolean,
    createGraph: boolean,
    inputs: readonly Handle[] | null,
  ): void;
  grad(
    outputs: readonly Handle[],
    inputs: readonly Handle[],
    gradients: readonly (Handle | null)[] | null,
    retainGraph: boolean,
    createGraph: boolean,
    allowUnused: boolean,
  ): (Handle | null)[];
  registerHook(tensor: Handle, anchor: number): number;
  removeHook(tensor: Handle, place: number): void;
  record(
    inputs: readonly Handle[],
    outputs: readonly Handle[],
    nonDifferentiable: readonly Handle[],
    saved: readonly Handle[],
    anchor: number,
  ): Handle[];
  watch(tensors: readonly Handle[], since: number, anchor: number): void;
  sequenceNumber(): number;
  setGradEnabled(flag: boolean): boolean;
  isGradEnabled(): boolean;
  inferenceMode(body: () => void): void;
  setAutocast(device: string, enabled: boolean, dtype: string): void;
  manualSeed(seed: number): void;
  setGenerator(id: number, device: string | null): void;
  seedGenerator(id: number, seed: number): void;
  getRngState(generator: number | string): Handle;
  setRngState(generator: number | string, state: Handle): void;
  setNumBlasThreads(count: number): void;
  setNumThreads(count: number): void;
  getNumThreads(): number;
  version(): { torch: string; cuda: boolean; cudaDevices: number };
  showConfig(): string;
  setCallbacks(makeError: ErrorFactory, invoke: typeof invokeHeld, forget: typeof forgetHeld): void;
}

declare const held: unique symbol;
/** A C++ value that JavaScript only keeps and hands back. */
export interface Held<Name extends string> {
  readonly [held]: Name;
}

/** Where the ranks of a group meet, and what this one is. Empty strings stand for absent. */
export interface NativeRendezvous {
  backend: string;
  /** The file of a file store; else the store is a server at host and port. */
  file: string;
  host: string;
  port: number;
  /** Whether this rank runs the server. */
  serves: boolean;
  /** Put before all keys in the store. */
  prefix: string;
  rank: number;
  size: number;
  /** In milliseconds. */
  timeout: number;
  /** How errors name this rank. */
  name: string;
  /** The network interface or address that Gloo listens at; the host name's address where both are empty. */
  networkInterface: string;
  address: string;
}

/** The part of the addon that is there only where libtorch was built with c10d and Gloo. */
export interface NativeDistributed {
  /** `gloo` or `gloo nccl`. */
  distributedBackends: string;
  joinGroup(rendezvous: NativeRendezvous): Promise<void>;
  leaveGroup(): void;
  startAllReduce(tensor: Handle, reduction: 'sum' | 'min' | 'max'): Held<'work'>;
  startBroadcast(tensor: Handle, source: number): Held<'work'>;
  startAllGather(output: Handle, input: Handle): Held<'work'>;
  waitForWork(work: Held<'work'>): void;
  finishWork(work: Held<'work'>): Promise<void>;
  linkAllGather(rows: Handle, gathered: Handle): Handle;
  addReducer(buckets: readonly (readonly Handle[])[], names: readonly string[], allowUnused: boolean): Held<'reducer'>;
  prepareReducer(reducer: Held<'reducer'>, enabled: boolean): void;
  removeReducer(reducer: Held<'reducer'>): void;
}

const ADDON = new URL('../build/Release/chronotope_torch.node', import.meta.url);

let loaded: Native | undefined;

/**
 * The native addon, loaded when it is first needed, so that programs which only print their help run without it.
 *
 * @throws TorchError `library` when it is not built or libtorch cannot be loaded
 */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const path = ADDON.pathname;
  if (!existsSync(ADDON)) {
    throw new TorchError(`the native addon is not built (${decodeURIComponent(path)} does not exist)`, {
      code: 'library',
      hint: 'run `npm run setup`: it finds libtorch and compiles the addon',
    });
  }
  preferSleepingThreads();
  const addon = requireAddon(decodeURIComponent(path));
  addon.setCallbacks(errorOf, invokeHeld, forgetHeld);
  // libtorch counts physical cores and takes one thread on two virtual ones.
  if (process.env.OMP_NUM_THREADS === undefined) addon.setNumThreads(availableParallelism());
  return addon;
}

let unexplained: unknown;

/** The error for an exception of C++; one that a function of JavaScript threw inside libtorch is that very error. */
const errorOf: ErrorFactory = (code, reason) => {
  unexplained = code === 'callback' ? undefined : nativeError(code, reason);
  return unexplained ?? takeThrown();
};

/** Whether an error comes from the last native call itself, not from JavaScript that it called. */
export function isFromNative(error: unknown): error is TorchError {
  return error !== undefined && error === unexplained;
}

/**
 * How often a thread of GNU's OpenMP looks for work before it sleeps, some tens of microseconds: long enough for the gaps
 * between the operators of a step, short enough for a core that something else wants (docs/torch-speed.md).
 */
const SHORT_WAIT = '3000';

/**
 * OpenMP's threads spin long between parallel regions by default, which takes the processor from the decoder and from other
 * processes. The setting counts only before the library is loaded.
 */
function preferSleepingThreads(): void {
  if (!isMainThread || process.env.OMP_WAIT_POLICY !== undefined) return;
  process.env.OMP_WAIT_POLICY = 'passive';
  process.env.GOMP_SPINCOUNT ??= SHORT_WAIT;
}

function requireAddon(path: string): Native {
  try {
    return createRequire(import.meta.url)(path) as Native;
  } catch (cause) {
    throw new TorchError(`the native addon could not be loaded: ${(cause as Error).message}`, {
      code: 'library',
      hint: 'libtorch or Node changed since it was built: run `npm run setup` again',
      cause,
    });
  }
}
