import { empty, full } from '../creation.js';
import { native } from '../native.js';
import { keep, scope, TensorHandle } from '../scope.js';
import { Tensor } from '../tensor.js';

/** A tensor that a module trains. It belongs to no scope: it lives until it is disposed or garbage-collected. */
export class Parameter extends Tensor {
  /**
   * Shares the memory of `data`, without its history.
   *
   * @param options.requiresGrad compute gradients for it (default true)
   */
  constructor(data: Tensor, { requiresGrad = true }: { requiresGrad?: boolean } = {}) {
    super(detachedHandle(data));
    keep(this);
    this.requiresGrad_(requiresGrad);
  }
}

/** A parameter of the given shape whose values are not set yet. */
export function emptyParameter(shape: readonly number[]): Parameter {
  return scope(() => new Parameter(empty(shape)));
}

/** A parameter of the given shape that holds one value everywhere. */
export function filledParameter(shape: readonly number[], value: number): Parameter {
  return scope(() => new Parameter(full(shape, value)));
}

function detachedHandle(data: Tensor): number {
  return scope(() => native().alias(TensorHandle.of(data.detach())));
}
