import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatBytes, type PlanFacts, planStore } from './store-plan.js';

const GB = 1e9;

/** Ten videos of 1 GB raw each, nothing stored, 100 GB free, 16 GB of memory. */
function plan(change: Partial<PlanFacts> & { storedRaw?: number; storedJpeg?: number } = {}) {
  const { storedRaw = 0, storedJpeg = 0, ...facts } = change;
  const videos = Array.from({ length: 10 }, (_, k) => ({
    rawBytes: GB,
    stored: [...(k < storedRaw ? (['raw'] as const) : []), ...(k >= 10 - storedJpeg ? (['jpeg'] as const) : [])],
  }));
  const machine = { freeBytes: 100 * GB, memoryBytes: 16 * GB, budgetBytes: undefined };
  return planStore({ videos, wanted: 'auto', ...machine, ...facts });
}

test('without a budget, raw is chosen where it fits into half of the disk and into memory', () => {
  assert.equal(plan().format, 'raw');
  assert.match(plan().reason, /raw frames take about 10\.0 GB, JPEG about 1\.7 GB; raw fits into 16\.0 GB/);
  assert.equal(plan({ freeBytes: 19 * GB }).format, 'jpeg');
  assert.equal(plan({ freeBytes: 21 * GB }).format, 'raw');
  assert.equal(plan({ memoryBytes: 8 * GB }).format, 'jpeg');
  assert.match(
    plan({ memoryBytes: 8 * GB }).reason,
    /raw is over 8\.0 GB \(half of the free disk, at most the memory\)/,
  );
});

test('a budget decides alone; what is asked for is done', () => {
  assert.equal(plan({ budgetBytes: 10 * GB, memoryBytes: GB }).format, 'raw');
  assert.equal(plan({ budgetBytes: 9 * GB }).format, 'jpeg');
  assert.equal(plan({ budgetBytes: 9 * GB, storedRaw: 10 }).format, 'jpeg');
  assert.equal(plan({ wanted: 'raw', budgetBytes: 1 }).format, 'raw');
  assert.equal(plan({ wanted: 'jpeg' }).format, 'jpeg');
  assert.match(plan({ wanted: 'jpeg' }).reason, /jpeg was asked for/);
});

test('what is mostly stored in one format stays in it', () => {
  assert.equal(plan({ storedRaw: 6, freeBytes: GB, memoryBytes: GB }).format, 'raw');
  assert.equal(plan({ storedJpeg: 6 }).format, 'jpeg');
  assert.equal(plan({ storedJpeg: 5 }).format, 'raw');
});

test('only frames that are missing in the chosen format are to be written', () => {
  const { toDecode, bytesToWrite, rawBytes } = plan({ wanted: 'raw', storedRaw: 7, storedJpeg: 10 });
  assert.deepEqual([toDecode, bytesToWrite, rawBytes], [3, 3 * GB, 10 * GB]);
  assert.ok(plan({ wanted: 'jpeg' }).bytesToWrite < 2 * GB);
});

test('more free space never turns raw into JPEG, and a build that has begun goes on in its format', () => {
  const amount = fc.integer({ min: 1, max: 100 }).map((gigabytes) => gigabytes * GB);
  fc.assert(
    fc.property(amount, amount, amount, fc.integer({ min: 6, max: 10 }), (free, more, memory, done) => {
      const before = plan({ freeBytes: free, memoryBytes: memory }).format;
      const withMore = plan({ freeBytes: free + more, memoryBytes: memory }).format;
      if (before === 'raw') assert.equal(withMore, 'raw');
      const stored = before === 'raw' ? { storedRaw: done } : { storedJpeg: done };
      assert.equal(plan({ freeBytes: free, memoryBytes: memory, ...stored }).format, before);
    }),
  );
});

test('sizes for people', () => {
  const sizes = [0, 999, 1000, 12_345_678, 999_600_000, 123_456_000_000];
  assert.deepEqual(sizes.map(formatBytes), ['0 bytes', '999 bytes', '1.0 kB', '12.3 MB', '1.0 GB', '123 GB']);
});
