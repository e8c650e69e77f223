/**
 * Byte-pair encoding on bytes (Sennrich et al., ACL 2016; on bytes as in GPT-2). Tokens are numbers: 0 to 255 the bytes
 * in the order of {@link BYTE_ORDER}, 256 to 511 the same bytes at the end of a word, 512 + k what merge k makes.
 */
export class BytePairs {
  /** Merges known. */
  readonly merges: number;
  readonly #pairs: PairTable;
  /** The tokens of the word at work, and the rank of the pair that each makes with the next: one memory for all words. */
  #tokens = new Int32Array(64);
  #ranks = new Int32Array(64);

  /**
   * @param lines merges in order, each two symbols with a blank between, in the characters of {@link byteCharacters}
   * @throws RangeError naming the line whose symbols are not made by an earlier one, or for more than 65,024 merges
   */
  constructor(lines: readonly string[]) {
    const tokens = new Map<string, number>();
    for (const [index, character] of byteCharacters().entries()) {
      tokens.set(character, index).set(character + END_OF_WORD, BYTES + index);
    }
    if (lines.length > MOST_MERGES) throw new RangeError(`${lines.length} merges, of which ${MOST_MERGES} can be used`);
    this.merges = lines.length;
    this.#pairs = new PairTable(lines.length);
    for (const [rank, line] of lines.entries()) {
      const blank = line.indexOf(' ');
      const [first, second] = [line.slice(0, blank), line.slice(blank + 1)];
      const [left, right] = [tokens.get(first), tokens.get(second)];
      if (left === undefined || right === undefined || tokens.has(first + second)) {
        throw new RangeError(`merge ${rank + 1}, '${line}', does not join two symbols to a new one`);
      }
      tokens.set(first + second, FIRST_MERGE + rank);
      this.#pairs.add(left, right);
    }
  }

  /** The tokens of a word: as long as there is one, the pair of lowest rank is merged wherever it occurs, from the left. */
  encode(word: string): number[] {
    let length = this.#start(word);
    const [tokens, ranks] = [this.#tokens, this.#ranks];
    for (;;) {
      let lowest = NO_MERGE;
      for (let i = 0; i + 1 < length; i++) if (ranks[i]! < lowest) lowest = ranks[i]!;
      if (lowest === NO_MERGE) break;
      length = this.#merge(lowest, length);
    }
    const result: number[] = [];
    for (let i = 0; i < length; i++) result.push(tokens[i]!);
    return result;
  }

  /** Writes the bytes of a word as tokens, and the ranks of their pairs. Returns how many there are. */
  #start(word: string): number {
    // A unit of UTF-16 makes three bytes at the most.
    if (3 * word.length > this.#tokens.length) {
      this.#tokens = new Int32Array(6 * word.length);
      this.#ranks = new Int32Array(6 * word.length);
    }
    const [tokens, ranks] = [this.#tokens, this.#ranks];
    const length = writeBytes(word, tokens);
    for (let i = 0; i < length; i++) tokens[i] = TOKEN_OF_BYTE[tokens[i]!]!;
    tokens[length - 1]! += BYTES;
    for (let i = 0; i + 1 < length; i++) ranks[i] = this.#pairs.rank(tokens[i]!, tokens[i + 1]!);
    return length;
  }

  /** Merges all pairs of one rank and returns how many tokens are left. */
  #merge(rank: number, length: number): number {
    const [tokens, ranks] = [this.#tokens, this.#ranks];
    let kept = 0;
    for (let i = 0; i < length; kept++) {
      const merged = i + 1 < length && ranks[i] === rank;
      tokens[kept] = merged ? FIRST_MERGE + rank : tokens[i]!;
      ranks[kept] = merged ? CHANGED : ranks[i]!;
      if (merged && kept > 0) ranks[kept - 1] = CHANGED;
      i += merged ? 2 : 1;
    }
    for (let i = 0; i + 1 < kept; i++) {
      if (ranks[i] === CHANGED) ranks[i] = this.#pairs.rank(tokens[i]!, tokens[i + 1]!);
    }
    return kept;
  }

  /** The bytes of a token, and whether it ends a word. */
  bytesOf(token: number): Bytes {
    if (token >= FIRST_MERGE) {
      const [left, right] = this.#pairs.at(token - FIRST_MERGE).map((part) => this.bytesOf(part)) as [Bytes, Bytes];
      return { bytes: [...left.bytes, ...right.bytes], endOfWord: right.endOfWord };
    }
    return { bytes: [BYTE_ORDER[token % BYTES]!], endOfWord: token >= BYTES };
  }
}

/** What a token stands for. */
interface Bytes {
  bytes: number[];
  endOfWord: boolean;
}

/**
 * Pairs of tokens and their ranks, since nearly all time goes into looking up pairs: a hash table with open addressing,
 * key and rank side by side in memory; and for pairs of single bytes, with which every word begins, a table without hashing.
 */
class PairTable {
  #count = 0;
  /** The tokens of the pair of rank k at 2k and 2k + 1. */
  readonly #pairs: Int32Array;
  /** Key and rank of a slot at 2s and 2s + 1; the rank is -1 where nothing is. */
  readonly #slots: Int32Array;
  readonly #mask: number;
  /** Rank of the bytes a and b, as tokens, at 512 a + b. */
  readonly #ofBytes = new Int32Array(FIRST_MERGE * FIRST_MERGE).fill(NO_MERGE);

  /** @param capacity pairs at most */
  constructor(capacity: number) {
    const slots = 2 ** Math.ceil(Math.log2(2 * capacity + 2));
    this.#pairs = new Int32Array(2 * capacity);
    this.#slots = new Int32Array(2 * slots).fill(-1);
    this.#mask = slots - 1;
  }

  /** Adds a pair under the next rank. */
  add(left: number, right: number): void {
    const rank = this.#count++;
    let slot = this.#hash(left, right);
    while (this.#slots[2 * slot + 1]! >= 0) slot = (slot + 1) & this.#mask;
    this.#slots[2 * slot] = (left << 16) | right;
    this.#slots[2 * slot + 1] = rank;
    this.#pairs[2 * rank] = left;
    this.#pairs[2 * rank + 1] = right;
    if (left < FIRST_MERGE && right < FIRST_MERGE) this.#ofBytes[FIRST_MERGE * left + right] = rank;
  }

  /** The rank of a pair, or NO_MERGE. */
  rank(left: number, right: number): number {
    if (left < FIRST_MERGE && right < FIRST_MERGE) return this.#ofBytes[FIRST_MERGE * left + right]!;
    const key = (left << 16) | right;
    for (let slot = this.#hash(left, right); ; slot = (slot + 1) & this.#mask) {
      const rank = this.#slots[2 * slot + 1]!;
      if (rank < 0) return NO_MERGE;
      if (this.#slots[2 * slot] === key) return rank;
    }
  }

  /** The pair of a rank. */
  at(rank: number): [left: number, right: number] {
    return [this.#pairs[2 * rank]!, this.#pairs[2 * rank + 1]!];
  }

  #hash(left: number, right: number): number {
    const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) & this.#mask;
  }
}

const BYTES = 256;
/** Tokens that are no merges: every byte within a word and at its end. */
export const FIRST_MERGE = 2 * BYTES;
/** So that two tokens have room in a key of 32 bits. */
const MOST_MERGES = 2 ** 16 - FIRST_MERGE;
const END_OF_WORD = '</w>';
const NO_MERGE = 0x7fffffff;
const CHANGED = -1;
const ENCODER = new TextEncoder();

/** Writes the UTF-8 bytes of a word and returns how many there are. Most words are ASCII, which needs no encoder. */
function writeBytes(word: string, target: Int32Array): number {
  for (let i = 0; i < word.length; i++) {
    const code = word.charCodeAt(i);
    if (code >= 0x80) {
      const bytes = ENCODER.encode(word);
      target.set(bytes);
      return bytes.length;
    }
    target[i] = code;
  }
  return word.length;
}

/** The bytes in the order of their tokens: those that print as themselves in Latin-1 first. */
export const BYTE_ORDER: readonly number[] = (() => {
  const prints = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte < 256 && byte !== 173);
  const bytes = Array.from({ length: BYTES }, (_, byte) => byte);
  return [...bytes.filter(prints), ...bytes.filter((byte) => !prints(byte))];
})();

const TOKEN_OF_BYTE = Uint8Array.from({ length: BYTES }, (_, byte) => BYTE_ORDER.indexOf(byte));

/** How vocabulary files write the bytes, in the order of their tokens: the unprintable ones as U+0100, U+0101, … */
export function byteCharacters(): string[] {
  const printable = BYTE_ORDER.findIndex((byte, index) => index > 0 && byte < BYTE_ORDER[index - 1]!);
  return BYTE_ORDER.map((byte, index) => String.fromCharCode(index < printable ? byte : BYTES + index - printable));
}
