import { TorchError } from '../errors.js';
import { convTranspose1d, convTranspose2d, convTranspose3d } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { type ConvOptions, convolutionRepr, type PerDimension, perDimension } from './conv.js';
import { resetWeightAndBias } from './linear.js';
import { Module } from './module.js';
import { emptyParameter, type Parameter } from './parameter.js';

/** Settings of the transposed convolutions. */
export interface ConvTransposeOptions extends ConvOptions {
  /** Size added to one side of the output, to choose between the sizes that a stride leaves open. Default 0. */
  outputPadding?: PerDimension;
}

/**
 * Transposed convolutions: the gradient of a convolution with respect to its input, as a layer. A padding here removes
 * from the output what it would add to the input of the convolution. Keys `weight` [in, out / groups, ...kernel] and
 * `bias` [out].
 */
abstract class TransposedConvolution extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  protected readonly geometry: {
    stride: number[];
    padding: number[];
    outputPadding: number[];
    groups: number;
    dilation: number[];
  };

  constructor(inChannels: number, outChannels: number, options: ConvTransposeOptions, dimensions: number) {
    super();
    const { kernelSize, stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1, bias = true } = options;
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new TorchError(
        `${new.target.name}: ${inChannels} input and ${outChannels} output channels do not divide into ${groups} groups`,
        { code: 'argument' },
      );
    }
    this.geometry = {
      stride: perDimension(stride, dimensions, 'stride'),
      padding: perDimension(padding, dimensions, 'padding'),
      outputPadding: perDimension(outputPadding, dimensions, 'outputPadding'),
      groups,
      dilation: perDimension(dilation, dimensions, 'dilation'),
    };
    const kernel = perDimension(kernelSize, dimensions, 'kernelSize');
    this.weight = emptyParameter([inChannels, outChannels / groups, ...kernel]);
    this.bias = bias ? emptyParameter([outChannels]) : null;
    resetWeightAndBias(this.weight, this.bias);
  }

  override extraRepr(): string {
    const [inChannels, outPerGroup, ...kernel] = this.weight.shape;
    const channels = [inChannels!, outPerGroup! * this.geometry.groups] as const;
    return convolutionRepr(channels, kernel, this.geometry, this.bias !== null);
  }
}

/** Transposed convolution over `[N, C, L]`. */
export class ConvTranspose1d extends TransposedConvolution {
  constructor(inChannels: number, outChannels: number, options: ConvTransposeOptions) {
    super(inChannels, outChannels, options, 1);
  }

  override forward(x: Tensor): Tensor {
    return convTranspose1d(x, this.weight, { bias: this.bias, ...this.geometry });
  }
}

/** Transposed convolution over `[N, C, H, W]`. */
export class ConvTranspose2d extends TransposedConvolution {
  constructor(inChannels: number, outChannels: number, options: ConvTransposeOptions) {
    super(inChannels, outChannels, options, 2);
  }

  override forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, { bias: this.bias, ...this.geometry });
  }
}

/** Transposed convolution over `[N, C, T, H, W]`. */
export class ConvTranspose3d extends TransposedConvolution {
  constructor(inChannels: number, outChannels: number, options: ConvTransposeOptions) {
    super(inChannels, outChannels, options, 3);
  }

  override forward(x: Tensor): Tensor {
    return convTranspose3d(x, this.weight, { bias: this.bias, ...this.geometry });
  }
}
