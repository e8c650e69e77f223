import { conv1d, conv2d, conv3d } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { resetWeightAndBias } from './linear.js';
import { Module } from './module.js';
import { emptyParameter, type Parameter } from './parameter.js';

/** One number for every spatial dimension, or one number per dimension. */
export type PerDimension = number | readonly number[];

export interface ConvOptions {
  kernelSize: PerDimension;
  /** Default 1. */
  stride?: PerDimension;
  /** Zeros added on both sides. Default 0. */
  padding?: PerDimension;
  /** Distance between kernel elements. Default 1. */
  dilation?: PerDimension;
  /** Number of channel groups that are convolved separately. Default 1. */
  groups?: number;
  /** Add a learnt offset per output channel. Default true. */
  bias?: boolean;
}

/** What the convolutions of all dimensions share: keys `weight` [out, in / groups, ...kernel] and `bias` [out]. */
abstract class Convolution extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  protected readonly geometry: { stride: number[]; padding: number[]; dilation: number[]; groups: number };

  constructor(inChannels: number, outChannels: number, options: ConvOptions, dimensions: number) {
    super();
    const { kernelSize, stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options;
    const kernel = perDimension(kernelSize, dimensions, 'kernelSize');
    this.geometry = {
      stride: perDimension(stride, dimensions, 'stride'),
      padding: perDimension(padding, dimensions, 'padding'),
      dilation: perDimension(dilation, dimensions, 'dilation'),
      groups,
    };
    this.weight = emptyParameter([outChannels, inChannels / groups, ...kernel]);
    this.bias = bias ? emptyParameter([outChannels]) : null;
    resetWeightAndBias(this.weight, this.bias);
  }
}

/** Convolution over `[N, C, L]`. */
export class Conv1d extends Convolution {
  constructor(inChannels: number, outChannels: number, options: ConvOptions) {
    super(inChannels, outChannels, options, 1);
  }

  override forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, { bias: this.bias, ...this.geometry });
  }
}

/** Convolution over `[N, C, H, W]`. */
export class Conv2d extends Convolution {
  constructor(inChannels: number, outChannels: number, options: ConvOptions) {
    super(inChannels, outChannels, options, 2);
  }

  override forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, { bias: this.bias, ...this.geometry });
  }
}

/** Convolution over `[N, C, T, H, W]`. */
export class Conv3d extends Convolution {
  constructor(inChannels: number, outChannels: number, options: ConvOptions) {
    super(inChannels, outChannels, options, 3);
  }

  override forward(x: Tensor): Tensor {
    return conv3d(x, this.weight, { bias: this.bias, ...this.geometry });
  }
}

/** Expands a {@link PerDimension} to one number per dimension. @throws RangeError if the count is wrong */
export function perDimension(value: PerDimension, dimensions: number, name: string): number[] {
  if (typeof value === 'number') {
    return new Array<number>(dimensions).fill(value);
  }
  if (value.length !== dimensions) {
    throw new RangeError(`${name} needs ${dimensions} numbers (one per dimension), not [${value}]`);
  }
  return [...value];
}
