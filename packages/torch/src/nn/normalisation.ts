import { TorchError } from '../errors.js';
import { groupNorm, layerNorm } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { Module } from './module.js';
import { filledParameter, type Parameter } from './parameter.js';
import { pyBool, pyFloat, pyInts } from './repr.js';

/**
 * Layer normalisation (Ba et al., 2016): mean 0 and variance 1 over the last dimensions, then a learnt gain and offset
 * per element. Keys `weight` and `bias`, both of the normalised shape.
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  /**
   * @param normalizedShape size of the last dimension, or sizes of the last dimensions
   * @param options.eps added to the variance before the root (default 1e-5)
   * @param options.elementwiseAffine learn a gain and an offset (default true)
   */
  constructor(
    normalizedShape: number | readonly number[],
    { eps = 1e-5, elementwiseAffine = true }: { eps?: number; elementwiseAffine?: boolean } = {},
  ) {
    super();
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    this.eps = eps;
    this.weight = elementwiseAffine ? filledParameter(this.normalizedShape, 1) : null;
    this.bias = elementwiseAffine ? filledParameter(this.normalizedShape, 0) : null;
  }

  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, { weight: this.weight, bias: this.bias, eps: this.eps });
  }

  override extraRepr(): string {
    const affine = pyBool(this.weight !== null);
    return `${pyInts(this.normalizedShape)}, eps=${pyFloat(this.eps)}, elementwise_affine=${affine}`;
  }
}

/**
 * Group normalisation (Wu and He, ECCV 2018) of `[N, C, ...]`: mean 0 and variance 1 over each of the groups of channels
 * of each item, then a learnt gain and offset per channel. Keys `weight` and `bias` [C].
 */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  /**
   * @param options.eps added to the variance before the root (default 1e-5)
   * @param options.affine learn a gain and an offset per channel (default true)
   */
  constructor(
    numGroups: number,
    numChannels: number,
    { eps = 1e-5, affine = true }: { eps?: number; affine?: boolean } = {},
  ) {
    super();
    if (numChannels % numGroups !== 0) {
      throw new TorchError(`GroupNorm: ${numChannels} channels do not divide into ${numGroups} groups`, {
        code: 'argument',
      });
    }
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.weight = affine ? filledParameter([numChannels], 1) : null;
    this.bias = affine ? filledParameter([numChannels], 0) : null;
  }

  override forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, { weight: this.weight, bias: this.bias, eps: this.eps });
  }

  override extraRepr(): string {
    const { numGroups, numChannels, eps } = this;
    return `${numGroups}, ${numChannels}, eps=${pyFloat(eps)}, affine=${pyBool(this.weight !== null)}`;
  }
}
