import assert from 'node:assert/strict';
import { type Tensor, tensor } from '../index.js';

/** A tensor as the golden files store it: row-major values, exact as 64-bit floats. */
export interface StoredTensor {
  shape: number[];
  values: number[];
}

/** A stored tensor as a float32 tensor. */
export function toTensor({ shape, values }: StoredTensor): Tensor {
  return tensor(Float32Array.from(values), { shape });
}

/** Asserts equal shapes and values that differ by at most `tolerance` of the largest stored value. */
export function assertClose(actual: Tensor, expected: StoredTensor, what: string, tolerance = 1e-5): void {
  assert.deepEqual([...actual.shape], expected.shape, `shape of ${what}`);
  assertCloseValues([...actual.detach().data()].map(Number), expected.values, what, tolerance);
}

/** Asserts that values differ by at most `tolerance` of the largest expected value. */
export function assertCloseValues(
  actual: readonly number[],
  expected: readonly number[],
  what: string,
  tolerance = 1e-5,
): void {
  assert.equal(actual.length, expected.length, `number of values of ${what}`);
  const scale = Math.max(...expected.map(Math.abs), 1e-3);
  for (const [index, value] of expected.entries()) {
    const error = Math.abs(actual[index]! - value);
    assert.ok(error <= tolerance * scale, `${what}[${index}] is ${actual[index]}, expected ${value}`);
  }
}
