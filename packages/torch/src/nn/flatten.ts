import { flatten, unflatten } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { Module } from './module.js';
import { pyInts } from './repr.js';

/** Joins dimensions, by default all after the first: `[N, ...]` to `[N, features]`. */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  /** Defaults: startDim 1, endDim -1. */
  constructor({ startDim = 1, endDim = -1 }: { startDim?: number; endDim?: number } = {}) {
    super();
    this.startDim = startDim;
    this.endDim = endDim;
  }

  override forward(x: Tensor): Tensor {
    return flatten(x, { startDim: this.startDim, endDim: this.endDim });
  }

  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

/** Splits one dimension into several; one of the sizes may be -1, which stands for what is left over. */
export class Unflatten extends Module {
  readonly dim: number;
  readonly sizes: readonly number[];

  constructor(dim: number, sizes: readonly number[]) {
    super();
    this.dim = dim;
    this.sizes = [...sizes];
  }

  override forward(x: Tensor): Tensor {
    return unflatten(x, this.dim, this.sizes);
  }

  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=${pyInts(this.sizes)}`;
  }
}
