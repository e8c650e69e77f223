import { hold } from './callbacks.js';
import { native } from './native.js';
import { refusePromise, TensorHandle } from './scope.js';
import type { Tensor } from './tensor.js';

/**
 * Sees the gradient of a tensor when a backward pass has computed it. What it returns, if anything, takes the
 * gradient's place. The gradient is freed when the hook returns, unless it is kept with `keep()`.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks needs no return
export type GradientHook = (gradient: Tensor) => Tensor | null | undefined | void;

/** A hook that has been put on, and how to take it off. */
export interface HookHandle {
  /** Takes the hook off. Twice is harmless. */
  remove(): void;
}

/** Behind {@link Tensor.registerHook}. */
export function registerHook(x: Tensor, hook: GradientHook): HookHandle {
  let current: GradientHook | null = hook;
  const place = hold(
    ([gradient]) => {
      const replacement = gradient && current?.(gradient as Tensor);
      refusePromise(replacement);
      return [replacement ?? null];
    },
    (id) => native().registerHook(TensorHandle.of(x), id),
  );
  return {
    remove: () => {
      // The graph may outlive the tensor's handle, through which alone libtorch lets a hook go: it is silent then.
      if (current !== null && !x.disposed) native().removeHook(TensorHandle.of(x), place);
      current = null;
    },
  };
}
