/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * A stream is named by a seed, a purpose and up to three integers (for example epoch, sample, view). Its numbers depend
 * on nothing else, so any worker can draw them in any order, and a resumed run draws the same ones.
 */

const WORD = 2 ** 32;
const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** Four unsigned 32-bit words. */
export type Philox4 = readonly [number, number, number, number];

/**
 * One block of Philox4x32-10: a bijection of the 128-bit counter for each 64-bit key.
 *
 * @param counter four unsigned 32-bit words, least significant first
 * @param key two unsigned 32-bit words
 * @returns four unsigned 32-bit words
 */
export function philox4x32(counter: Philox4, key: readonly [number, number]): Philox4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit words, as a signed 32-bit integer. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // Every partial sum stays below 2^53, so doubles hold it exactly.
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 0x10000);
  const carry = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) | 0;
}

/** 32-bit FNV-1a hash of a purpose, so that streams for different purposes have different keys. */
function hashPurpose(purpose: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(purpose, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** A stream of random numbers; see {@link randomStream}. Drawing advances it, and nothing else does. */
export class RandomStream {
  readonly #key: readonly [number, number];
  readonly #path: readonly [number, number, number];
  #block = 0;
  #words: Philox4 = [0, 0, 0, 0];
  #used = 4;

  /**
   * @param key two unsigned 32-bit words
   * @param path the upper three words of the counter
   */
  constructor(key: readonly [number, number], path: readonly [number, number, number]) {
    this.#key = key;
    this.#path = path;
  }

  /** An unsigned 32-bit integer, uniform over all of them. */
  uint32(): number {
    if (this.#used === 4) {
      this.#words = philox4x32([this.#block++, ...this.#path], this.#key);
      this.#used = 0;
    }
    return this.#words[this.#used++]!;
  }

  /** A number uniform in [low, high), by default [0, 1), with 32 random bits. */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.uint32() / WORD);
  }

  /** True with the given probability; draws one number whatever the probability is. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** A normal deviate (Box-Muller; the second of each pair is not kept, so each call draws two numbers). */
  normal(mean = 0, standardDeviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log((this.uint32() + 1) / WORD));
    return mean + standardDeviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /**
   * An integer uniform in 0..count-1, without modulo bias.
   *
   * @throws {RangeError} unless `count` is an integer in 1..2^32
   */
  int(count: number): number {
    if (!Number.isInteger(count) || count < 1 || count > WORD) {
      throw new RangeError(`int(${count}): the number of values must be an integer in 1..2^32`);
    }
    const limit = WORD - (WORD % count);
    let word = this.uint32();
    while (word >= limit) word = this.uint32();
    return word % count;
  }

  /** A uniformly drawn order of 0..length-1 (Fisher-Yates). */
  permutation(length: number): number[] {
    const order = Array.from({ length }, (_, i) => i);
    for (let last = length - 1; last > 0; last--) {
      const other = this.int(last + 1);
      [order[last], order[other]] = [order[other]!, order[last]!];
    }
    return order;
  }
}

/**
 * The stream of random numbers of (seed, purpose, path).
 *
 * @param seed a non-negative safe integer; its low 32 bits, high bits and the purpose make the key
 * @param purpose what the numbers are for, such as `'augment'`; different purposes give unrelated numbers
 * @param path up to three integers in 0..2^32-1, such as epoch, sample and view; missing ones are 0
 * @throws {RangeError} for a seed or path outside these ranges
 *
 * @example
 * const random = randomStream(seed, 'augment', epoch, sample, view);
 * const cropFactor = random.uniform(0.5, 1);
 */
export function randomStream(seed: number, purpose: string, ...path: number[]): RandomStream {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`seed ${seed}: a seed is a non-negative safe integer`);
  }
  if (path.length > 3 || path.some((part) => !Number.isInteger(part) || part < 0 || part >= WORD)) {
    throw new RangeError(`path [${path}]: a path has at most three integers in 0..2^32-1`);
  }
  const seedHigh = Math.floor(seed / WORD);
  const key = [seed >>> 0, (hashPurpose(purpose) ^ seedHigh) >>> 0] as const;
  return new RandomStream(key, [path[0] ?? 0, path[1] ?? 0, path[2] ?? 0]);
}
