/**
 * Who owns a tensor and when it is freed. The garbage collector does not see tensor memory, and finalisers do not run
 * inside a synchronous loop; so tensors made inside a {@link scope} are freed at its end, and only those that no scope
 * owns are left to the garbage collector.
 */
import { TorchError } from './errors.js';
import { type Handle, native } from './native.js';

/** What a disposed tensor holds instead of its handle; the native side refuses it. */
const DISPOSED: Handle = 0;

class Scope {
  readonly parent: Scope | null;
  readonly owned: TensorHandle[] = [];

  constructor(parent: Scope | null) {
    this.parent = parent;
  }
}

let current: Scope | null = null;

/** Handles on their way to the native side, which reads them faster from a typed array that is there already. */
let released = new Float64Array(64);

const collector = new FinalizationRegistry<Handle>((handle) => native().release(handle));

/** The part of a tensor that is about its life: the native handle and the scope that owns it. */
export abstract class TensorHandle {
  #handle: Handle;
  #owner: Scope | null = null;

  /** Takes a handle that the native side has just given out. */
  constructor(handle: Handle) {
    this.#handle = handle;
    TensorHandle.#give(this, current);
  }

  /** Whether this tensor has been freed; every use of it then throws TorchError `disposed`. */
  get disposed(): boolean {
    return this.#handle === DISPOSED;
  }

  /** Frees this handle. The memory goes when no view and no graph of autograd needs it. Twice is harmless. */
  dispose(): void {
    if (this.disposed) return;
    native().release(this.#handle);
    this.#handle = DISPOSED;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Called after an operator wrote into this tensor, which may have changed its shape. @internal */
  abstract forgetShape(): void;

  /** A static method, as a private one of instances would make every tensor slower to construct. */
  static #give(tensor: TensorHandle, owner: Scope | null): void {
    tensor.#owner = owner;
    if (owner !== null) {
      owner.owned.push(tensor);
    } else if (!tensor.disposed) {
      collector.register(tensor, tensor.#handle);
      native().reportToCollector(tensor.#handle);
    }
  }

  /** The handle for a native call. @internal */
  static of(tensor: TensorHandle): Handle {
    return tensor.#handle;
  }

  /** Takes a tensor out of its scope, to the given one. @internal */
  static move(tensor: TensorHandle, from: Scope | null, to: Scope | null): void {
    if (from !== to && tensor.#owner === from) TensorHandle.#give(tensor, to);
  }

  /** Takes a tensor out of whatever scope owns it. @internal */
  static keep(tensor: TensorHandle): void {
    if (tensor.#owner !== null) TensorHandle.#give(tensor, null);
  }

  /** Frees what a scope still owns, in one native call. @internal */
  static releaseOwned(scope: Scope): void {
    if (released.length < scope.owned.length) released = new Float64Array(2 * scope.owned.length);
    let count = 0;
    for (const tensor of scope.owned) {
      if (tensor.#owner !== scope || tensor.#handle === DISPOSED) continue;
      released[count++] = tensor.#handle;
      tensor.#handle = DISPOSED;
    }
    if (count > 0) native().release(released, count);
  }
}

/**
 * Runs `body` and frees every tensor that was made in it, except those in its result (a tensor, or arrays, plain
 * objects, Maps and Sets that hold some) and those that were kept. What is returned belongs to the enclosing scope, or
 * to the garbage collector where there is none. When `body` throws, everything is freed.
 *
 * @throws TorchError `argument` when `body` returns a promise: a scope ends when `body` returns
 */
export function scope<R>(body: () => R): R {
  const own = new Scope(current);
  current = own;
  try {
    const result = body();
    refusePromise(result);
    for (const tensor of tensorsIn(result)) TensorHandle.move(tensor, own, own.parent);
    return result;
  } finally {
    current = own.parent;
    TensorHandle.releaseOwned(own);
  }
}

/** Takes a tensor out of every scope: from now on it lives until it is disposed or garbage-collected. Returns it. */
export function keep<T extends TensorHandle>(tensor: T): T {
  TensorHandle.keep(tensor);
  return tensor;
}

/** The functions that hold a state while `body` runs cannot wait for a promise. */
export function refusePromise(result: unknown): void {
  if (typeof (result as { then?: unknown } | null | undefined)?.then !== 'function') return;
  throw new TorchError('the function returned a promise, but this takes a synchronous function', {
    code: 'argument',
    hint: 'await outside, and call this on the synchronous parts',
  });
}

function tensorsIn(result: unknown): Iterable<TensorHandle> {
  if (result instanceof TensorHandle) return [result];
  if (typeof result !== 'object' || result === null) return [];
  const found = new Set<TensorHandle>();
  collect(result, found, new Set());
  return found;
}

function collect(value: unknown, found: Set<TensorHandle>, visited: Set<object>): void {
  if (typeof value !== 'object' || value === null || visited.has(value)) return;
  visited.add(value);
  if (value instanceof TensorHandle) {
    found.add(value);
  } else if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) collect(item, found, visited);
  } else if (value instanceof Map) {
    for (const item of value.values()) collect(item, found, visited);
  } else if (isPlainObject(value)) {
    for (const item of Object.values(value)) collect(item, found, visited);
  }
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
