/**
 * The `_foreach_` operators the optimisers use: one native call for a whole list of tensors instead of one per tensor.
 */
import { op } from '../operator.js';
import type { Tensor } from '../tensor.js';

type Tensors = readonly Tensor[];

const addList = op('aten::_foreach_add.List');
const addList_ = op('aten::_foreach_add_.List');
const addScalar_ = op('aten::_foreach_add_.Scalar');
const mulScalar_ = op('aten::_foreach_mul_.Scalar');
const addcmul = op('aten::_foreach_addcmul_.Scalar');
const addcdiv = op('aten::_foreach_addcdiv_.ScalarList');
const divScalars = op('aten::_foreach_div_.ScalarList');
const rootOf = op('aten::_foreach_sqrt');
const mulList = op('aten::_foreach_mul.List');
const mulList_ = op('aten::_foreach_mul_.List');
const maximumList_ = op('aten::_foreach_maximum_.List');
const normOf = op('aten::_foreach_norm.Scalar');

/** x + alpha * y. */
export function foreachAdd(x: Tensors, y: Tensors, alpha: number): Tensor[] {
  return addList(x, y, alpha) as Tensor[];
}

/** x += alpha * y. */
export function foreachAdd_(x: Tensors, y: Tensors, alpha: number): void {
  addList_(x, y, alpha);
}

/** x += value. */
export function foreachAddScalar_(x: Tensors, value: number): void {
  addScalar_(x, value);
}

/** x *= factor. */
export function foreachMul_(x: Tensors, factor: number): void {
  mulScalar_(x, factor);
}

/** x += value * y * z. */
export function foreachAddcmul_(x: Tensors, y: Tensors, z: Tensors, value: number): void {
  addcmul(x, y, z, value);
}

/** x += values * y / z, one value per tensor. */
export function foreachAddcdiv_(x: Tensors, y: Tensors, z: Tensors, values: readonly number[]): void {
  addcdiv(x, y, z, values);
}

/** x /= divisors, one divisor per tensor. */
export function foreachDiv_(x: Tensors, divisors: readonly number[]): void {
  divScalars(x, divisors);
}

/** Square roots. */
export function foreachSqrt(x: Tensors): Tensor[] {
  return rootOf(x) as Tensor[];
}

/** x * factors, one factor (a tensor) per tensor. */
export function foreachMul(x: Tensors, factors: Tensors): Tensor[] {
  return mulList(x, factors) as Tensor[];
}

/** x *= factors, one factor (a tensor) per tensor. */
export function foreachMulTensors_(x: Tensors, factors: Tensors): void {
  mulList_(x, factors);
}

/** x = max(x, y). */
export function foreachMaximum_(x: Tensors, y: Tensors): void {
  maximumList_(x, y);
}

/** The norm of each tensor, of shape []. */
export function foreachNorm(x: Tensors, order = 2): Tensor[] {
  return normOf(x, order) as Tensor[];
}
