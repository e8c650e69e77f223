/** Which elements of tensors and of typed arrays are the same bytes. */
import { TorchError } from './errors.js';
import type { DType, TensorData } from './tensor.js';

/** Bytes of one element. */
export const ITEM_BYTES: Readonly<Record<DType, number>> = {
  float64: 8,
  int64: 8,
  float32: 4,
  int32: 4,
  float16: 2,
  bfloat16: 2,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** The dtype whose elements a typed array holds, or undefined for Uint16Array, Uint32Array and BigUint64Array. */
export function dtypeOfArray(array: ArrayBufferView): DType | undefined {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Float64Array) return 'float64';
  if (array instanceof BigInt64Array) return 'int64';
  if (array instanceof Int32Array) return 'int32';
  if (array instanceof Int16Array) return 'int16';
  if (array instanceof Int8Array) return 'int8';
  if (array instanceof Uint8Array || array instanceof Uint8ClampedArray) return 'uint8';
  return undefined;
}

/** A typed array over the elements of a tensor: bool as bytes 0 and 1, float16 and bfloat16 as their 16 bits. */
export function arrayOver(buffer: ArrayBuffer, dtype: DType): TensorData | Uint16Array {
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer);
    case 'float64':
      return new Float64Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'int8':
      return new Int8Array(buffer);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(buffer);
    default:
      throw new TorchError(`no typed array holds the dtype ${dtype}`, { code: 'argument' });
  }
}
