import { noGrad } from '../autograd.js';
import { eye, randn, tensor as tensorOf } from '../creation.js';
import { TorchError } from '../errors.js';
import { erf, erfinv, linalgQr, sign } from '../generated/operators.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';

/** The activation that follows the weights; it decides their gain. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu';

/** Settings of the Kaiming initialisers. */
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

/** Settings of the initialisers that take a gain. */
export interface GainOptions {
  /** Factor on the standard deviation; see {@link calculateGain}. Default 1. */
  gain?: number;
}

/** Glorot initialisation, uniform: bound = gain * sqrt(6 / (fan in + fan out)). Glorot and Bengio, AISTATS 2010. */
export function xavierUniform_(tensor: Tensor, { gain = 1 }: GainOptions = {}): Tensor {
  const bound = Math.sqrt(3) * xavierStd(tensor, gain);
  return uniform_(tensor, -bound, bound);
}

/** Glorot initialisation, normal: standard deviation = gain * sqrt(2 / (fan in + fan out)). */
export function xavierNormal_(tensor: Tensor, { gain = 1 }: GainOptions = {}): Tensor {
  return normal_(tensor, 0, xavierStd(tensor, gain));
}

/** Settings of {@link truncNormal_}. */
export interface TruncNormalOptions {
  /** Default 0. */
  mean?: number;
  /** Standard deviation before truncation. Default 1. */
  std?: number;
  /** Least value. Default -2. */
  a?: number;
  /** Greatest value. Default 2. */
  b?: number;
}

/** Fills with draws from the normal distribution restricted to [a, b], by inverting its distribution function. */
export function truncNormal_(tensor: Tensor, { mean = 0, std = 1, a = -2, b = 2 }: TruncNormalOptions = {}): Tensor {
  return fill(tensor, () => {
    const erfAt = (x: number) => erf(tensorOf((x - mean) / (std * Math.SQRT2), { dtype: 'float64' })).item();
    tensor.uniform_({ from: erfAt(a), to: erfAt(b) });
    tensor
      .copy_(erfinv(tensor))
      .mul_(std * Math.SQRT2)
      .add_(mean)
      .clamp_({ min: a, max: b });
  });
}

/**
 * Fills with a (semi-)orthogonal matrix, the weight [rows, ...] seen as [rows, columns]. Saxe et al., ICLR 2014.
 *
 * @throws TorchError `argument` for fewer than 2 dimensions
 */
export function orthogonal_(tensor: Tensor, { gain = 1 }: GainOptions = {}): Tensor {
  assertWeight(tensor, 'orthogonal_');
  return fill(tensor, () => {
    const rows = tensor.shape[0]!;
    const columns = tensor.numel / rows;
    const draws = randn([rows, columns], { dtype: tensor.dtype, device: tensor.device });
    const [q, r] = linalgQr(rows < columns ? draws.t() : draws);
    // The signs of R's diagonal are a convention of the decomposition; without them Q would not be uniform.
    const uniform = q.mul(sign(r.diagonal()));
    tensor.copy_((rows < columns ? uniform.t() : uniform).reshape(tensor.shape)).mul_(gain);
  });
}

/** Fills a matrix with ones on the diagonal and zeros elsewhere. */
export function eye_(tensor: Tensor): Tensor {
  const [rows, columns] = tensor.shape;
  if (rows === undefined || columns === undefined || tensor.ndim > 2) {
    throw new TorchError(`eye_ fills a matrix, not a tensor of shape [${tensor.shape}]`, { code: 'argument' });
  }
  return fill(tensor, () => tensor.copy_(eye(rows, { columns })));
}

/**
 * The factor by which weights must grow so that the activation that follows leaves the variance as it is.
 *
 * @param negativeSlope of the leaky ReLU (default 0.01)
 */
export function calculateGain(nonlinearity: Nonlinearity, negativeSlope = 0.01): number {
  switch (nonlinearity) {
    case 'linear':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + negativeSlope * negativeSlope));
    case 'selu':
      return 3 / 4;
  }
}

/** Numbers of inputs and outputs a weight `[out, in, ...kernel]` connects. */
export function fans(weight: Tensor): { fanIn: number; fanOut: number } {
  assertWeight(weight, 'the numbers of inputs and outputs');
  const [outputs, inputs, ...kernel] = weight.shape;
  const receptiveField = kernel.reduce((product, size) => product * size, 1);
  return { fanIn: inputs! * receptiveField, fanOut: outputs! * receptiveField };
}

function kaimingStd(tensor: Tensor, { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' }: KaimingOptions): number {
  return calculateGain(nonlinearity, a) / Math.sqrt(fans(tensor)[mode]);
}

function xavierStd(tensor: Tensor, gain: number): number {
  const { fanIn, fanOut } = fans(tensor);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

function assertWeight({ shape }: Tensor, what: string): void {
  if (shape.length < 2) {
    throw new TorchError(`${what}: a weight has 2 or more dimensions, not [${shape}]`, {
      code: 'argument',
      hint: 'fill biases and gains with zeros_, ones_ or constant_',
    });
  }
}

function fill(tensor: Tensor, write: () => void): Tensor {
  scope(() => noGrad(write));
  return tensor;
}
