import { convolution } from '../convolution/convolution.js';
import { TorchError } from '../errors.js';
import { conv1d } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { resetWeightAndBias } from './linear.js';
import { Module } from './module.js';
import { emptyParameter, type Parameter } from './parameter.js';
import { pyInts } from './repr.js';

/** One number for every spatial dimension, or one number per dimension. */
export type PerDimension = number | readonly number[];

/** Settings of the convolutions. */
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
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new TorchError(
        `${new.target.name}: ${inChannels} input and ${outChannels} output channels do not divide into ${groups} groups`,
        { code: 'argument' },
      );
    }
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

  override extraRepr(): string {
    const [outChannels, inPerGroup, ...kernel] = this.weight.shape;
    const channels = [inPerGroup! * this.geometry.groups, outChannels!] as const;
    return convolutionRepr(channels, kernel, this.geometry, this.bias !== null);
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
    return convolution(x, this.weight, this.bias, this.geometry);
  }
}

/** Convolution over `[N, C, T, H, W]`. */
export class Conv3d extends Convolution {
  constructor(inChannels: number, outChannels: number, options: ConvOptions) {
    super(inChannels, outChannels, options, 3);
  }

  override forward(x: Tensor): Tensor {
    return convolution(x, this.weight, this.bias, this.geometry);
  }
}

/** The settings of a convolution as PyTorch prints them: what is not the default. */
export function convolutionRepr(
  [inChannels, outChannels]: readonly [number, number],
  kernel: readonly number[],
  { stride, padding, dilation, outputPadding = [], groups }: ConvolutionGeometry,
  hasBias: boolean,
): string {
  const differs = (values: readonly number[], usual: number) => values.some((value) => value !== usual);
  return [
    `${inChannels}, ${outChannels}, kernel_size=${pyInts(kernel)}, stride=${pyInts(stride)}`,
    ...(differs(padding, 0) ? [`padding=${pyInts(padding)}`] : []),
    ...(differs(dilation, 1) ? [`dilation=${pyInts(dilation)}`] : []),
    ...(differs(outputPadding, 0) ? [`output_padding=${pyInts(outputPadding)}`] : []),
    ...(groups === 1 ? [] : [`groups=${groups}`]),
    ...(hasBias ? [] : ['bias=False']),
  ].join(', ');
}

interface ConvolutionGeometry {
  stride: readonly number[];
  padding: readonly number[];
  dilation: readonly number[];
  outputPadding?: readonly number[];
  groups: number;
}

/** Expands a {@link PerDimension} to one number per dimension. @throws TorchError `argument` if the count is wrong */
export function perDimension(value: PerDimension, dimensions: number, name: string): number[] {
  if (typeof value === 'number') {
    return new Array<number>(dimensions).fill(value);
  }
  if (value.length !== dimensions) {
    throw new TorchError(`${name} needs ${dimensions} numbers (one per dimension), not [${value}]`, {
      code: 'argument',
      hint: 'one number stands for all dimensions',
    });
  }
  return [...value];
}
