import { bitCount } from './perceptual-hash.js';

/**
 * Exact search for near hashes by multi-index hashing (Norouzi, Punjani and Fleet, "Fast search in Hamming space with
 * multi-index hashing", CVPR 2012). A hash is cut into bands of {@link BAND_BITS} bits; if two hashes of b bands differ in
 * at most r bits, they differ in at most floor(r / b) bits in at least one band. So each hash is compared only with those
 * that share a band up to so many bits, found by looking the band and its neighbours up in a table.
 *
 * Memory: for n hashes of b bands, 4n(b + 2) bytes and 2^18 b bytes for the tables.
 */

const BAND_BITS = 16;
const BUCKETS = 1 << BAND_BITS;
const BANDS_PER_WORD = 2;

/** Two items found to be alike: indices into the hashes, and the number of bits in which they differ. */
export interface Link {
  first: number;
  second: number;
  distance: number;
}

/** Which hashes are near. */
export interface Nearness {
  wordsPerHash: number;
  /** Most bits in which two near hashes differ. */
  radius: number;
  /** Asked about each pair within the radius that would join two groups. Default: the radius is enough. */
  confirm?: (first: number, second: number) => boolean;
}

/**
 * Groups hashes that are connected by near pairs.
 *
 * @param hashes n hashes of `wordsPerHash` 32-bit words each, one after the other
 * @returns for each group a tree of links: n members have n - 1 links, in order of `second`; a later item is linked to the
 *   members found first, not to its nearest. Hashes without a near one are in no link.
 */
export function linkNearHashes(hashes: Uint32Array, { wordsPerHash, radius, confirm }: Nearness): Link[] {
  const count = hashes.length / wordsPerHash;
  const bands = wordsPerHash * BANDS_PER_WORD;
  const neighbours = bandNeighbours(Math.floor(radius / bands));
  const table = new BandTable(bands, count);
  const groups = new DisjointSets(count);
  const compared = new Int32Array(count).fill(-1);
  const links: Link[] = [];
  for (let item = 0; item < count; item++) {
    for (let band = 0; band < bands; band++) {
      const key = bandOf(hashes, item * wordsPerHash, band);
      for (let i = 0; i < neighbours.length; i++) {
        for (let other = table.first(band, key ^ neighbours[i]!); other >= 0; other = table.next(band, other)) {
          if (compared[other] === item) continue;
          compared[other] = item;
          const distance = distanceBetween(hashes, item * wordsPerHash, other * wordsPerHash, wordsPerHash);
          if (distance > radius || groups.joined(item, other) || confirm?.(other, item) === false) continue;
          groups.join(item, other);
          links.push({ first: other, second: item, distance });
        }
      }
      table.add(band, key, item);
    }
  }
  return links;
}

/** The items of each group of links, in ascending order; groups in the order of their first items. */
export function groupsOf(links: readonly Link[]): number[][] {
  const members = new Map<number, number[]>();
  const groupOf = (item: number): number[] => {
    const group = members.get(item) ?? [item];
    members.set(item, group);
    return group;
  };
  for (const { first, second } of links) {
    const [a, b] = [groupOf(first), groupOf(second)];
    const [large, small] = a.length >= b.length ? [a, b] : [b, a];
    for (const item of small) {
      large.push(item);
      members.set(item, large);
    }
  }
  const groups = [...new Set(members.values())].map((group) => group.sort((a, b) => a - b));
  return groups.sort((a, b) => a[0]! - b[0]!);
}

/** Chains of items by band and key. Typed arrays: a `Map` of arrays would take ten times the memory. */
class BandTable {
  readonly #heads: Int32Array;
  readonly #nexts: Int32Array;
  readonly #count: number;

  constructor(bands: number, count: number) {
    this.#heads = new Int32Array(bands * BUCKETS).fill(-1);
    this.#nexts = new Int32Array(bands * count);
    this.#count = count;
  }

  /** The newest item with this key, or -1. */
  first(band: number, key: number): number {
    return this.#heads[band * BUCKETS + key]!;
  }

  /** The item added before `item` to the same chain, or -1. */
  next(band: number, item: number): number {
    return this.#nexts[band * this.#count + item]!;
  }

  add(band: number, key: number, item: number): void {
    this.#nexts[band * this.#count + item] = this.first(band, key);
    this.#heads[band * BUCKETS + key] = item;
  }
}

/** Union-find with path halving. */
class DisjointSets {
  readonly #parents: Int32Array;

  constructor(count: number) {
    this.#parents = Int32Array.from({ length: count }, (_, i) => i);
  }

  joined(a: number, b: number): boolean {
    return this.#root(a) === this.#root(b);
  }

  join(a: number, b: number): void {
    this.#parents[this.#root(a)] = this.#root(b);
  }

  #root(item: number): number {
    const parents = this.#parents;
    let node = item;
    while (parents[node] !== node) {
      parents[node] = parents[parents[node]!]!;
      node = parents[node]!;
    }
    return node;
  }
}

/** All band differences of at most `bits` ones. */
function bandNeighbours(bits: number): Uint16Array {
  const all = Uint16Array.from({ length: BUCKETS }, (_, difference) => difference);
  return all.filter((difference) => bitCount(difference) <= bits);
}

function bandOf(hashes: Uint32Array, offset: number, band: number): number {
  const word = hashes[offset + (band >> 1)]!;
  return band % BANDS_PER_WORD === 0 ? word & 0xffff : word >>> BAND_BITS;
}

function distanceBetween(hashes: Uint32Array, a: number, b: number, words: number): number {
  let distance = 0;
  for (let i = 0; i < words; i++) distance += bitCount(hashes[a + i]! ^ hashes[b + i]!);
  return distance;
}
