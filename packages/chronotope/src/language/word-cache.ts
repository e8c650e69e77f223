/** Words are remembered up to this number and length, which keeps the memory for them below some tens of megabytes. */
const MOST_WORDS = 100_000;
const LONGEST_WORD = 64;

/** Numbers of a word in {@link WordCache}: hash, where its letters begin, how many, where its tokens begin, how many. */
const FIELDS = 5;
const SLOTS = 2 ** 18;

/**
 * The tokens of words of ASCII that were seen before, found by the letters in a text: nothing is cut out of the text and no
 * string is made, which would cost more than all the rest.
 */
export class WordCache {
  /** Number of a word by hash, -1 where nothing is. */
  #slots = new Int32Array(SLOTS).fill(-1);
  #words = new Int32Array(1024 * FIELDS);
  #count = 0;
  #letters = new Uint8Array(8192);
  #lettersUsed = 0;
  /** The tokens of all words one after the other; those of a found word from {@link first} on. */
  tokens = new Int32Array(4096);
  #tokensUsed = 0;
  /** Where the tokens of the word of the last {@link find} begin. */
  first = 0;

  /**
   * Finds the word at a place in a text.
   *
   * @param hash by {@link hashLetter} over its letters
   * @returns how many tokens it has, from {@link first} on; -1 for a word that is not there
   */
  find(text: string, from: number, to: number, hash: number): number {
    const words = this.#words;
    for (let slot = hash & (SLOTS - 1); ; slot = (slot + 1) & (SLOTS - 1)) {
      const word = this.#slots[slot]!;
      if (word < 0) return -1;
      const at = word * FIELDS;
      if (words[at] === hash && words[at + 2] === to - from && this.#isWord(text, from, to, words[at + 1]!)) {
        this.first = words[at + 3]!;
        return words[at + 4]!;
      }
    }
  }

  /** Remembers the tokens of a word; very long ones are not worth it. When the cache is full, it starts anew. */
  add(text: string, from: number, to: number, hash: number, tokens: readonly number[]): void {
    const length = to - from;
    if (length > LONGEST_WORD) return;
    if (this.#count === MOST_WORDS) this.#clear();
    this.#words = withRoom(this.#words, (this.#count + 1) * FIELDS);
    this.#letters = withRoom(this.#letters, this.#lettersUsed + length);
    this.tokens = withRoom(this.tokens, this.#tokensUsed + tokens.length);
    this.#words.set([hash, this.#lettersUsed, length, this.#tokensUsed, tokens.length], this.#count * FIELDS);
    for (let i = from; i < to; i++) this.#letters[this.#lettersUsed++] = lowerCase(text.charCodeAt(i));
    for (const token of tokens) this.tokens[this.#tokensUsed++] = token;
    let slot = hash & (SLOTS - 1);
    while (this.#slots[slot]! >= 0) slot = (slot + 1) & (SLOTS - 1);
    this.#slots[slot] = this.#count++;
  }

  #isWord(text: string, from: number, to: number, letters: number): boolean {
    for (let i = from; i < to; i++) {
      if (lowerCase(text.charCodeAt(i)) !== this.#letters[letters + i - from]) return false;
    }
    return true;
  }

  #clear(): void {
    this.#slots.fill(-1);
    this.#count = this.#lettersUsed = this.#tokensUsed = 0;
  }
}

/** The hash of letters so far with one more; begin with 0. */
export function hashLetter(hash: number, letter: number): number {
  const mixed = Math.imul(hash ^ letter, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** The code of a letter of ASCII in lower case. */
export function lowerCase(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code;
}

function withRoom<T extends Int32Array | Uint8Array>(values: T, length: number): T {
  if (length <= values.length) return values;
  const larger = new (values.constructor as new (length: number) => T)(2 * length);
  larger.set(values);
  return larger;
}
