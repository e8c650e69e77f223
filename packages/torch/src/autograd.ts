import { native } from './native.js';
import { recordingObserver } from './operator.js';
import { refusePromise, TensorHandle } from './scope.js';
import { Tensor } from './tensor.js';

/** Runs `body` without recording for the backward pass. Synchronous and exception-safe. */
export function noGrad<R>(body: () => R): R {
  return withGradMode(false, body);
}

/** Runs `body` with recording, inside {@link noGrad}. */
export function enableGrad<R>(body: () => R): R {
  return withGradMode(true, body);
}

/**
 * Runs `body` without recording and without what recording needs (versions, views): a little faster than
 * {@link noGrad}. Tensors made in it can never be part of a graph. Synchronous and exception-safe.
 */
export function inferenceMode<R>(body: () => R): R {
  let result: R | undefined;
  native().inferenceMode(() => {
    result = body();
    refusePromise(result);
  });
  return result as R;
}

/** Whether operators are recorded now. */
export function isGradEnabled(): boolean {
  return native().isGradEnabled();
}

export interface GradOptions {
  /** Gradients of the outputs' own; null or absent for outputs of one element. */
  gradOutputs?: readonly (Tensor | null)[];
  /** Keep the graph for another backward pass. Default: the value of createGraph. */
  retainGraph?: boolean;
  /** Record the computation of the gradients, for second derivatives. Default false. */
  createGraph?: boolean;
  /** Give null for inputs that the outputs do not depend on, instead of an error. Default false. */
  allowUnused?: boolean;
}

/** The sum of the gradients of the outputs with respect to each input; nothing is added to any `.grad`. */
export function grad(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  { gradOutputs, createGraph = false, retainGraph = createGraph, allowUnused = false }: GradOptions = {},
): (Tensor | null)[] {
  const gradients = gradOutputs?.map((item) => (item === null ? null : TensorHandle.of(item))) ?? null;
  const observing = createGraph ? recordingObserver() : undefined;
  const token = observing?.before();
  const results = native()
    .grad(
      outputs.map((item) => TensorHandle.of(item)),
      inputs.map((item) => TensorHandle.of(item)),
      gradients,
      retainGraph,
      createGraph,
      allowUnused,
    )
    .map((handle) => (handle === null ? null : new Tensor(handle)));
  observing?.after(
    'grad',
    results.filter((result) => result !== null),
    token!,
  );
  return results;
}

function withGradMode<R>(enabled: boolean, body: () => R): R {
  const before = native().setGradEnabled(enabled);
  try {
    const result = body();
    refusePromise(result);
    return result;
  } finally {
    native().setGradEnabled(before);
  }
}
