import { noGrad } from '../autograd.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';

/** The activation that follows the weights; it decides the gain of the He initialisations. */
export type Nonlinearity = 'linear' | 'relu' | 'leakyRelu';

export interface KaimingOptions {
  /** Negative slope of the leaky ReLU; ignored for the others. Default 0. */
  a?: number;
  /** Keep the variance in the forward (`fanIn`, default) or in the backward pass (`fanOut`). */
  mode?: 'fanIn' | 'fanOut';
  /** Default `leakyRelu`, as in PyTorch (with `a` 0 the same as `relu`). */
  nonlinearity?: Nonlinearity;
}

/** Fills with draws from the uniform distribution on [low, high). */
export function uniform_(tensor: Tensor, low = 0, high = 1): Tensor {
  return fill(tensor, () => tensor.uniform_({ from: low, to: high }));
}

/** Fills with draws from the normal distribution. */
export function normal_(tensor: Tensor, mean = 0, std = 1): Tensor {
  return fill(tensor, () => tensor.normal_({ mean, std }));
}

/** Fills with one value. */
export function constant_(tensor: Tensor, value: number): Tensor {
  return fill(tensor, () => tensor.fill_(value));
}

/** Fills with zeros. */
export function zeros_(tensor: Tensor): Tensor {
  return constant_(tensor, 0);
}

/** Fills with ones. */
export function ones_(tensor: Tensor): Tensor {
  return constant_(tensor, 1);
}

/** He initialisation, uniform: bound = gain * sqrt(3 / fan). He et al., ICCV 2015. */
export function kaimingUniform_(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  const bound = Math.sqrt(3) * kaimingStd(tensor, options);
  return uniform_(tensor, -bound, bound);
}

/** He initialisation, normal: standard deviation = gain / sqrt(fan). He et al., ICCV 2015. */
export function kaimingNormal_(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  return normal_(tensor, 0, kaimingStd(tensor, options));
}

/** Numbers of inputs and outputs a weight `[out, in, ...kernel]` connects. */
export function fans({ shape }: Tensor): { fanIn: number; fanOut: number } {
  const [outputs, inputs, ...kernel] = shape;
  if (outputs === undefined || inputs === undefined) {
    throw new RangeError(`fans need a weight of 2 or more dimensions, not [${shape}]`);
  }
  const receptiveField = kernel.reduce((product, size) => product * size, 1);
  return { fanIn: inputs * receptiveField, fanOut: outputs * receptiveField };
}

function kaimingStd(tensor: Tensor, { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' }: KaimingOptions): number {
  return gain(nonlinearity, a) / Math.sqrt(fans(tensor)[mode]);
}

function gain(nonlinearity: Nonlinearity, a: number): number {
  switch (nonlinearity) {
    case 'linear':
      return 1;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + a * a));
  }
}

function fill(tensor: Tensor, write: () => void): Tensor {
  scope(() => noGrad(write));
  return tensor;
}
