/**
 * What libtorch holds of JavaScript: functions that the backward pass calls, and buffers that tensors live in. libtorch
 * knows each by a number and says when it needs it no more, so that the garbage collector may have it.
 */
import { TorchError } from './errors.js';
import { type Handle, native } from './native.js';
import { scope, TensorHandle } from './scope.js';

/**
 * A function that the backward pass calls, with its tensors (null where there is no gradient) and a text. The tensors
 * are freed when it returns. It returns tensors or nulls, of which libtorch takes the memory.
 */
export type Callback = (tensors: (TensorHandle | null)[], text: string) => readonly (TensorHandle | null)[];

const held = new Map<number, object>();
const whenFree = new Map<number, () => void>();
let lastId = 0;
let thrown: { error: unknown } | undefined;
let makeTensor: (handle: Handle) => TensorHandle;

/** Tells how a handle becomes a Tensor (the Tensor class needs this module, so this module cannot import it). */
export function setTensorFactory(factory: typeof makeTensor): void {
  makeTensor = factory;
}

/** Keeps a function or a buffer for libtorch under a number, which `use` hands over to it. */
export function hold<R>(object: Callback | ArrayBufferLike, use: (id: number) => R): R {
  lastId += 1;
  const id = lastId;
  held.set(id, object);
  try {
    return use(id);
  } catch (error) {
    held.delete(id);
    throw error;
  }
}

/** How many functions and buffers libtorch holds. */
export function countHeld(): number {
  return held.size;
}

/** Has a function called, which must not throw, when libtorch needs this no more. */
export function notifyWhenFree(id: number, notify: () => void): void {
  whenFree.set(id, notify);
}

/** libtorch needs this no more. */
export function forget(id: number): void {
  held.delete(id);
  const notify = whenFree.get(id);
  whenFree.delete(id);
  notify?.();
}

/**
 * Calls a function that libtorch holds; undefined when it threw. No exception of JavaScript travels through libtorch:
 * the error waits here until the native call that ran the function has failed.
 */
export function invoke(id: number, handles: readonly (Handle | null)[], text: string): (Handle | null)[] | undefined {
  try {
    return scope(() => {
      const tensors = handles.map((handle) => (handle === null ? null : makeTensor(handle)));
      const callback = held.get(id) as Callback;
      return takeMemory(callback(tensors, text));
    });
  } catch (error) {
    thrown = { error };
    return undefined;
  }
}

/** The error that made {@link invoke} fail. */
export function takeThrown(): unknown {
  const error = thrown?.error;
  thrown = undefined;
  return error;
}

/** Handles that outlive the scope of the call; the native side releases them. */
function takeMemory(results: readonly (TensorHandle | null)[]): (Handle | null)[] {
  for (const result of results) {
    if (result === null || (result instanceof TensorHandle && !result.disposed)) continue;
    const got = result instanceof TensorHandle ? 'a disposed tensor' : typeof result;
    throw new TorchError(`a gradient must be a Tensor or null, and got ${got}`, { code: 'argument' });
  }
  return results.map((result) => (result === null ? null : native().alias(TensorHandle.of(result))));
}
