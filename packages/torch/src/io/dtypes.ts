import type { DType } from '../tensor.js';
import { FormatError } from './format-error.js';

const ITEM_BYTES: Readonly<Record<DType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** Bytes of one element. */
export function itemBytes(dtype: DType): number {
  return ITEM_BYTES[dtype];
}

/**
 * Number of elements of a shape that a file states.
 *
 * @throws FormatError when it cannot be counted exactly, which no real file needs
 */
export function countElements(shape: readonly number[], what: string): number {
  // Of a shape with a zero, too, libtorch multiplies the other sizes to strides.
  const bound = shape.reduce((product, size) => product * Math.max(size, 1), 1);
  if (!Number.isSafeInteger(bound)) throw new FormatError(`the shape [${shape}] of ${what} is too large`);
  return shape.includes(0) ? 0 : bound;
}
