import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { scope, Tensor, TorchError } from '../index.js';

/** A way to damage a file's bytes. */
export type Damage = (bytes: Buffer) => Buffer;

/** Files cut off anywhere before their end. */
export const truncated: fc.Arbitrary<Damage> = fc
  .double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  .map((share) => (bytes: Buffer) => bytes.subarray(0, Math.floor(share * bytes.length)));

/** Files with a few bits flipped anywhere. */
export const flipped: fc.Arbitrary<Damage> = fc
  .array(fc.record({ at: fc.nat(), bit: fc.nat({ max: 7 }) }), { minLength: 1, maxLength: 4 })
  .map((flips) => (bytes: Buffer) => {
    const damaged = Buffer.from(bytes);
    for (const { at, bit } of flips) damaged[at % damaged.length]! ^= 1 << bit;
    return damaged;
  });

/** Files with a few bytes replaced by ones that mean much: the ends of the ranges of integers. */
export const overwritten: fc.Arbitrary<Damage> = fc
  .array(
    fc.record({
      at: fc.nat(),
      value: fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff),
      length: fc.integer({ min: 1, max: 8 }),
    }),
    {
      minLength: 1,
      maxLength: 2,
    },
  )
  .map((places) => (bytes: Buffer) => {
    const damaged = Buffer.from(bytes);
    for (const { at, value, length } of places)
      damaged
        .subarray(at % damaged.length)
        .subarray(0, length)
        .fill(value);
    return damaged;
  });

/** Larger tensors are views that a damaged shape made of few bytes; reading them out would only take memory. */
const MOST_READ = 100_000;

/**
 * Asserts that reading a damaged file either throws a TorchError `io` that names the file, or gives tensors that can be
 * read out.
 */
export function assertReadsOrRefuses(path: string, bytes: Buffer, read: (path: string) => unknown): void {
  writeFileSync(path, bytes);
  scope(() => {
    let result: unknown;
    try {
      result = read(path);
    } catch (error) {
      assert.ok(error instanceof TorchError && error.code === 'io', `not an io error: ${(error as Error).stack}`);
      assert.ok(error.message.includes(path), error.message);
      assert.ok(error.hint !== undefined, `no hint: ${error.message}`);
      return;
    }
    for (const tensor of tensorsIn(result)) {
      if (tensor.numel <= MOST_READ) tensor.data();
    }
  });
}

function* tensorsIn(value: unknown, seen = new Set<unknown>()): Generator<Tensor> {
  if (seen.has(value)) return;
  seen.add(value);
  if (value instanceof Tensor) yield value;
  else if (value instanceof Map) for (const item of value.values()) yield* tensorsIn(item, seen);
  else if (Array.isArray(value) || value instanceof Set) for (const item of value) yield* tensorsIn(item, seen);
}
