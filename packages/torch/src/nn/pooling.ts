import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  maxPool1d,
  maxPool2d,
  maxPool3d,
} from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { type PerDimension, perDimension } from './conv.js';
import { Module } from './module.js';
import { pyBool, pyInts } from './repr.js';

/** Settings of the max-poolings. */
export interface MaxPoolOptions {
  kernelSize: PerDimension;
  /** Default: the kernel size. */
  stride?: PerDimension;
  /** Borders that count as minus infinity, on both sides. Default 0. */
  padding?: PerDimension;
  /** Distance between the elements of a window. Default 1. */
  dilation?: PerDimension;
  /** Let the last window reach over the end of the input. Default false. */
  ceilMode?: boolean;
}

abstract class MaxPool extends Module {
  readonly kernelSize: PerDimension;
  readonly stride: PerDimension;
  readonly padding: PerDimension;
  readonly dilation: PerDimension;
  readonly ceilMode: boolean;

  constructor(options: MaxPoolOptions, dimensions: number) {
    super();
    const { kernelSize, stride = kernelSize, padding = 0, dilation = 1, ceilMode = false } = options;
    assertPerDimension({ kernelSize, stride, padding, dilation }, dimensions);
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.padding = padding;
    this.dilation = dilation;
    this.ceilMode = ceilMode;
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding, dilation } = this;
    const sizes = `kernel_size=${pyInts(kernelSize)}, stride=${pyInts(stride)}, padding=${pyInts(padding)}`;
    return `${sizes}, dilation=${pyInts(dilation)}, ceil_mode=${pyBool(this.ceilMode)}`;
  }
}

/** Maximum over windows of `[N, C, L]`. */
export class MaxPool1d extends MaxPool {
  constructor(options: MaxPoolOptions) {
    super(options, 1);
  }

  override forward(x: Tensor): Tensor {
    return maxPool1d(x, this.kernelSize, this);
  }
}

/** Maximum over windows of `[N, C, H, W]`. */
export class MaxPool2d extends MaxPool {
  constructor(options: MaxPoolOptions) {
    super(options, 2);
  }

  override forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this);
  }
}

/** Maximum over windows of `[N, C, T, H, W]`. */
export class MaxPool3d extends MaxPool {
  constructor(options: MaxPoolOptions) {
    super(options, 3);
  }

  override forward(x: Tensor): Tensor {
    return maxPool3d(x, this.kernelSize, this);
  }
}

/** Settings of the average-poolings. */
export interface AvgPoolOptions {
  kernelSize: PerDimension;
  /** Default: the kernel size. */
  stride?: PerDimension;
  /** Zeros added on both sides. Default 0. */
  padding?: PerDimension;
  /** Let the last window reach over the end of the input. Default false. */
  ceilMode?: boolean;
  /** Divide by the size of the window also where it reaches into the padding. Default true. */
  countIncludePad?: boolean;
}

abstract class AvgPool extends Module {
  readonly kernelSize: PerDimension;
  readonly stride: PerDimension;
  readonly padding: PerDimension;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;

  constructor(options: AvgPoolOptions, dimensions: number) {
    super();
    const { kernelSize, stride = kernelSize, padding = 0, ceilMode = false, countIncludePad = true } = options;
    assertPerDimension({ kernelSize, stride, padding }, dimensions);
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.padding = padding;
    this.ceilMode = ceilMode;
    this.countIncludePad = countIncludePad;
  }

  override extraRepr(): string {
    return `kernel_size=${pyInts(this.kernelSize)}, stride=${pyInts(this.stride)}, padding=${pyInts(this.padding)}`;
  }
}

/** Mean over windows of `[N, C, L]`. */
export class AvgPool1d extends AvgPool {
  constructor(options: AvgPoolOptions) {
    super(options, 1);
  }

  override forward(x: Tensor): Tensor {
    return avgPool1d(x, this.kernelSize, this);
  }

  override extraRepr(): string {
    const tuple = (size: PerDimension) => pyInts(perDimension(size, 1, 'size'));
    return `kernel_size=${tuple(this.kernelSize)}, stride=${tuple(this.stride)}, padding=${tuple(this.padding)}`;
  }
}

/** Mean over windows of `[N, C, H, W]`. */
export class AvgPool2d extends AvgPool {
  constructor(options: AvgPoolOptions) {
    super(options, 2);
  }

  override forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this);
  }
}

/** Mean over windows of `[N, C, T, H, W]`. */
export class AvgPool3d extends AvgPool {
  constructor(options: AvgPoolOptions) {
    super(options, 3);
  }

  override forward(x: Tensor): Tensor {
    return avgPool3d(x, this.kernelSize, this);
  }
}

/** Windows chosen so that the spatial dimensions of the output are `outputSize`. */
abstract class AdaptivePool extends Module {
  readonly outputSize: PerDimension;

  constructor(outputSize: PerDimension, dimensions: number) {
    super();
    assertPerDimension({ outputSize }, dimensions);
    this.outputSize = outputSize;
  }

  override extraRepr(): string {
    return `output_size=${pyInts(this.outputSize)}`;
  }
}

/** Mean over windows chosen so that `[N, C, L]` becomes `[N, C, outputSize]`. */
export class AdaptiveAvgPool1d extends AdaptivePool {
  constructor(outputSize: PerDimension) {
    super(outputSize, 1);
  }

  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }
}

/** Mean over windows chosen so that `[N, C, H, W]` becomes `[N, C, ...outputSize]`. */
export class AdaptiveAvgPool2d extends AdaptivePool {
  constructor(outputSize: PerDimension) {
    super(outputSize, 2);
  }

  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}

/** Mean over windows chosen so that `[N, C, T, H, W]` becomes `[N, C, ...outputSize]`. */
export class AdaptiveAvgPool3d extends AdaptivePool {
  constructor(outputSize: PerDimension) {
    super(outputSize, 3);
  }

  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool3d(x, this.outputSize);
  }
}

/** Maximum over windows chosen so that `[N, C, L]` becomes `[N, C, outputSize]`. */
export class AdaptiveMaxPool1d extends AdaptivePool {
  constructor(outputSize: PerDimension) {
    super(outputSize, 1);
  }

  override forward(x: Tensor): Tensor {
    return adaptiveMaxPool1d(x, this.outputSize)[0];
  }
}

/** Maximum over windows chosen so that `[N, C, H, W]` becomes `[N, C, ...outputSize]`. */
export class AdaptiveMaxPool2d extends AdaptivePool {
  constructor(outputSize: PerDimension) {
    super(outputSize, 2);
  }

  override forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize)[0];
  }
}

/** Maximum over windows chosen so that `[N, C, T, H, W]` becomes `[N, C, ...outputSize]`. */
export class AdaptiveMaxPool3d extends AdaptivePool {
  constructor(outputSize: PerDimension) {
    super(outputSize, 3);
  }

  override forward(x: Tensor): Tensor {
    return adaptiveMaxPool3d(x, this.outputSize)[0];
  }
}

/** Sizes stay as they were given, because a module prints them so. */
function assertPerDimension(sizes: Record<string, PerDimension>, dimensions: number): void {
  for (const [name, size] of Object.entries(sizes)) {
    perDimension(size, dimensions, name);
  }
}
