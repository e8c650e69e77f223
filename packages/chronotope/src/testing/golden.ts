import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Tensor, tensor } from '@chronotope/torch';

/** Nested arrays of numbers, as the golden files hold tensors. */
export type Nested = number | Nested[];

/** Reads `packages/chronotope/golden/<name>`. */
export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../golden/${name}`, import.meta.url), 'utf8')) as T;
}

/** A float32 leaf that records gradients. */
export function leaf(values: Nested): Tensor {
  return tensor(values, { dtype: 'float32', requiresGrad: true });
}

/** Asserts |actual − expected| ≤ absolute + relative · max|expected| for every entry. */
export function assertClose(
  actual: Tensor | number,
  expected: Nested,
  options: { relative?: number; absolute?: number; what?: string } = {},
): void {
  const { relative = 1e-5, absolute = 1e-7, what = 'value' } = options;
  const got =
    typeof actual === 'number' ? [actual] : Array.from(actual.to({ dtype: 'float64' }).data() as Float64Array);
  const want = flatten(expected);
  assert.equal(got.length, want.length, `${what}: ${got.length} entries, expected ${want.length}`);
  const scale = want.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const tolerance = absolute + relative * scale;
  for (const [k, value] of want.entries()) {
    const error = Math.abs(got[k]! - value);
    assert.ok(error <= tolerance, `${what}[${k}]: ${got[k]} instead of ${value} (tolerance ${tolerance})`);
  }
}

function flatten(values: Nested): number[] {
  return typeof values === 'number' ? [values] : values.flatMap(flatten);
}
