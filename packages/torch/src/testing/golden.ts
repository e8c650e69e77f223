import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type DType, type Tensor, tensor } from '../index.js';

/** A tensor as the golden files store it: row-major values, exact as 64-bit floats. */
export interface StoredTensor {
  shape: number[];
  values: (number | boolean)[];
  /** Default float32. */
  dtype?: DType;
}

/** The content of a file in the package's golden folder. The caller states its type; the files are our own. */
export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../golden/${name}`, import.meta.url), 'utf8')) as T;
}

/** A stored tensor as a tensor. */
export function toTensor({ shape, values, dtype = 'float32' }: StoredTensor): Tensor {
  return tensor(values, { shape, dtype });
}

/** A stored state dict as a state dict. */
export function toState(state: Record<string, StoredTensor>): Map<string, Tensor> {
  return new Map(Object.entries(state).map(([key, value]) => [key, toTensor(value)]));
}

/** Asserts equal shapes and values that differ by at most `tolerance` of the largest stored value. */
export function assertClose(actual: Tensor, expected: StoredTensor, what: string, tolerance = 1e-5): void {
  assert.deepEqual([...actual.shape], expected.shape, `shape of ${what}`);
  assertCloseValues([...actual.detach().data()].map(Number), expected.values.map(Number), what, tolerance);
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
