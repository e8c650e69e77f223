import { linear } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { fans, kaimingUniform_, uniform_ } from './init.js';
import { Module } from './module.js';
import { emptyParameter, type Parameter } from './parameter.js';
import { pyBool } from './repr.js';

/** y = x Wᵀ + b on the last dimension: `[..., in]` to `[..., out]`. Keys `weight` [out, in] and `bias` [out]. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  /** @param options.bias add a learnt offset (default true) */
  constructor(inFeatures: number, outFeatures: number, { bias = true }: { bias?: boolean } = {}) {
    super();
    this.weight = emptyParameter([outFeatures, inFeatures]);
    this.bias = bias ? emptyParameter([outFeatures]) : null;
    resetWeightAndBias(this.weight, this.bias);
  }

  override forward(x: Tensor): Tensor {
    return linear(x, this.weight, { bias: this.bias });
  }

  override extraRepr(): string {
    const [outFeatures, inFeatures] = this.weight.shape;
    return `in_features=${inFeatures}, out_features=${outFeatures}, bias=${pyBool(this.bias !== null)}`;
  }
}

/**
 * PyTorch's default for linear and convolution layers: weight and bias uniform in ±1/sqrt(fan in). (He-uniform with
 * slope sqrt(5) is a roundabout way to write that bound; it is kept so that equal seeds give equal weights.)
 */
export function resetWeightAndBias(weight: Parameter, bias: Parameter | null): void {
  kaimingUniform_(weight, { a: Math.sqrt(5) });
  if (bias) {
    const bound = 1 / Math.sqrt(fans(weight).fanIn);
    uniform_(bias, -bound, bound);
  }
}
