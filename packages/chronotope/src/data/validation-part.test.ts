import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ManifestEntry } from './manifest.js';
import { drawValidation } from './validation-part.js';

const entry = (label: string | null, index: number): ManifestEntry => {
  const id = `${label}/${index}.mp4`;
  return { id, path: id, label, split: 'train' };
};

const entriesOf = (counts: readonly number[]): ManifestEntry[] => [
  ...counts.flatMap((count, name) => Array.from({ length: count }, (_, index) => entry(`class ${name}`, index))),
  entry(null, 0),
];

test('of every class the share is set aside, at least one and never all', () => {
  const counts = fc.array(fc.integer({ min: 3, max: 30 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(counts, fc.double({ min: 0.05, max: 0.6, noNaN: true }), (counts, share) => {
      const chosen = drawValidation(entriesOf(counts), { share, seed: 1, draw: 0 });
      for (const [name, count] of counts.entries()) {
        const ofClass = chosen.filter(({ label }) => label === `class ${name}`);
        assert.equal(ofClass.length, Math.max(1, Math.round(share * count)));
        assert.ok(ofClass.length < count);
      }
      assert.ok(chosen.every(({ label }) => label !== null));
    }),
  );
});

test('the choice depends on the seed and the draw alone', () => {
  const entries = entriesOf([20, 20]);
  const ids = (seed: number, draw: number) => drawValidation(entries, { share: 0.3, seed, draw }).map(({ id }) => id);
  assert.deepEqual(ids(1, 0), ids(1, 0));
  assert.notDeepEqual(ids(1, 0), ids(1, 1));
  assert.notDeepEqual(ids(1, 0), ids(2, 0));
});

test('a class that would have nothing left to learn from is named', () => {
  assert.throws(() => drawValidation(entriesOf([3, 1]), { share: 0.2, seed: 1, draw: 0 }), {
    code: 'too-few-labels',
    message: /"class 1"/,
  });
});
