import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DType } from '../tensor.js';
import { assignBuckets } from './buckets.js';

const parameters = fc.array(
  fc.record({
    numel: fc.integer({ min: 1, max: 50 }),
    dtype: fc.constantFrom<DType>('float32', 'float16'),
    device: fc.constantFrom('cpu', 'cuda:0'),
  }),
);
const sizes = fc.record({ firstBytes: fc.integer({ min: 1, max: 100 }), bytes: fc.integer({ min: 1, max: 400 }) });

test('every parameter is in one bucket, of its own dtype and device, in reverse order', () => {
  fc.assert(
    fc.property(parameters, sizes, (list, limits) => {
      const buckets = assignBuckets(list, limits);
      assert.equal(buckets.flat().length, list.length);
      assert.deepEqual(new Set(buckets.flat()), new Set(list));
      for (const bucket of buckets) {
        assert.equal(new Set(bucket.map(({ dtype, device }) => `${dtype} ${device}`)).size, 1);
        const positions = bucket.map((parameter) => list.indexOf(parameter));
        assert.deepEqual(
          positions,
          positions.toSorted((a, b) => b - a),
        );
      }
    }),
  );
});

test('a bucket takes parameters until it has reached its size, the first one a smaller one', () => {
  const list = Array.from({ length: 7 }, (_, i) => ({ numel: 10, dtype: 'float32' as const, device: 'cpu', i }));
  const buckets = assignBuckets(list, { firstBytes: 40, bytes: 120 });
  assert.deepEqual(
    buckets.map((bucket) => bucket.map(({ i }) => i)),
    [[6], [5, 4, 3], [2, 1, 0]],
  );
});
