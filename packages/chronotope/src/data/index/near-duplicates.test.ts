import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomStream } from '../../random.js';
import { groupsOf, linkNearHashes } from './near-duplicates.js';

/** n hashes around a few centres, so that many pairs are near, some just at the edge of the radius. */
function clusteredHashes(seed: number, count: number, words: number, flips: number): Uint32Array {
  const random = randomStream(seed, 'hashes');
  const centres = Array.from({ length: 4 }, () => Array.from({ length: words }, () => random.uint32()));
  const hashes = new Uint32Array(count * words);
  for (let item = 0; item < count; item++) {
    hashes.set(centres[random.int(centres.length)]!, item * words);
    for (let flip = random.int(flips + 1); flip > 0; flip--) {
      hashes[item * words + random.int(words)]! ^= 1 << random.int(32);
    }
  }
  return hashes;
}

function distance(hashes: Uint32Array, words: number, a: number, b: number): number {
  let bits = '';
  for (let i = 0; i < words; i++) bits += ((hashes[a * words + i]! ^ hashes[b * words + i]!) >>> 0).toString(2);
  return bits.replaceAll('0', '').length;
}

/** Connected groups by comparing every pair. */
function groupsByComparingAll(count: number, near: (a: number, b: number) => boolean): number[][] {
  const groupOf = Array.from({ length: count }, (_, i) => i);
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      if (!near(a, b)) continue;
      const [from, to] = [groupOf[b]!, groupOf[a]!];
      for (let i = 0; i < count; i++) if (groupOf[i] === from) groupOf[i] = to;
    }
  }
  const groups = new Map<number, number[]>();
  for (const [item, group] of groupOf.entries()) groups.set(group, [...(groups.get(group) ?? []), item]);
  return [...groups.values()].filter((group) => group.length > 1);
}

test('groups are exactly those of comparing every pair, for any radius', () => {
  const cases = fc.record({
    seed: fc.nat(),
    count: fc.integer({ min: 0, max: 60 }),
    wordsPerHash: fc.constantFrom(1, 2, 8),
    radius: fc.integer({ min: 0, max: 20 }),
    flips: fc.integer({ min: 0, max: 40 }),
  });
  fc.assert(
    fc.property(cases, ({ seed, count, wordsPerHash, radius, flips }) => {
      // Wider neighbourhoods of a 16-bit band are not worth testing: they take seconds and are not used.
      fc.pre(radius / (2 * wordsPerHash) < 4);
      const hashes = clusteredHashes(seed, count, wordsPerHash, flips);
      const between = (a: number, b: number) => distance(hashes, wordsPerHash, a, b);
      const links = linkNearHashes(hashes, { wordsPerHash, radius });
      const wanted = groupsByComparingAll(count, (a, b) => between(a, b) <= radius);
      assert.deepEqual(groupsOf(links), wanted);
      assert.ok(links.every(({ first, second, distance }) => distance === between(first, second) && first < second));
      assert.equal(
        links.length,
        wanted.reduce((sum, group) => sum + group.length - 1, 0),
      );
    }),
    { numRuns: 80 },
  );
});

test('a pair within the radius still has to be confirmed', () => {
  const hashes = Uint32Array.of(0, 1, 3, 7);
  const confirm = (first: number, second: number) => (first ^ second) % 2 === 0;
  const links = linkNearHashes(hashes, { wordsPerHash: 1, radius: 3, confirm });
  assert.deepEqual(groupsOf(links), [
    [0, 2],
    [1, 3],
  ]);
});
