import { noGrad } from '../autograd.js';
import { TorchError } from '../errors.js';
import { Operator } from '../operator.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';
import type { Module } from './module.js';
import { Parameter } from './parameter.js';

const WEIGHT_NORM = new Operator<Tensor>('aten::_weight_norm');
const NORM_EXCEPT_DIM = new Operator<Tensor>('aten::norm_except_dim');

/** Settings of {@link weightNorm}. */
export interface WeightNormOptions<Name extends string = 'weight'> {
  /** The parameter to split. Default `weight`. */
  name?: Name;
  /** Dimension whose slices have a norm each; null: one norm for all. Default 0. */
  dim?: number | null;
}

/** A layer one of whose parameters is split: `weightG` is its norm, `weightV` its direction. */
export type WeightNormed<M extends Module, Name extends string = 'weight'> = M &
  Record<`${Name}G` | `${Name}V`, Parameter>;

/**
 * Splits a parameter into its norm and its direction (Salimans and Kingma, NeurIPS 2016): `weight` becomes
 * `weight_g` * `weight_v` / ||`weight_v`||, with the keys of PyTorch's `nn.utils.weight_norm`. From then on the layer's
 * `weight` is a tensor computed anew whenever it is read. Returns the layer.
 *
 * @throws TorchError `argument` if the layer has no such parameter
 */
export function weightNorm<M extends Module, Name extends string = 'weight'>(
  layer: M,
  { name = 'weight' as Name, dim = 0 }: WeightNormOptions<Name> = {},
): WeightNormed<M, Name> {
  const weight: unknown = Reflect.get(layer, name);
  if (!(weight instanceof Parameter)) {
    throw new TorchError(`weightNorm: ${layer.constructor.name} has no parameter '${name}'`, { code: 'argument' });
  }
  const axis = dim ?? -1;
  const { g, v } = scope(() =>
    noGrad(() => ({ g: new Parameter(NORM_EXCEPT_DIM.call(weight, 2, axis)), v: new Parameter(weight) })),
  );
  Reflect.deleteProperty(layer, name);
  Object.assign(layer, { [`${name}G`]: g, [`${name}V`]: v });
  Object.defineProperty(layer, name, { configurable: true, get: () => WEIGHT_NORM.call(v, g, axis) });
  return layer as WeightNormed<M, Name>;
}

/** Undoes {@link weightNorm}: the layer gets a parameter of the present value back. Returns the layer. */
export function removeWeightNorm<M extends Module>(layer: M, { name = 'weight' }: { name?: string } = {}): M {
  const parts: unknown[] = [Reflect.get(layer, `${name}G`), Reflect.get(layer, `${name}V`)];
  const [g, v] = parts.filter((part) => part instanceof Parameter);
  if (!g || !v) {
    throw new TorchError(`removeWeightNorm: '${name}' of ${layer.constructor.name} is not split`, { code: 'argument' });
  }
  const value = scope(() => noGrad(() => new Parameter(Reflect.get(layer, name) as Tensor)));
  for (const property of [name, `${name}G`, `${name}V`]) {
    Reflect.deleteProperty(layer, property);
  }
  Object.assign(layer, { [name]: value });
  return layer;
}
