import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Tensor, tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import { BytePairs, FIRST_MERGE } from './byte-pairs.js';
import { cleanText } from './clean-text.js';
import { forEachPlainWord, isPlain } from './plain-words.js';
import { WordCache } from './word-cache.js';

/** Tokens of OpenAI's vocabulary: 512 of single bytes, 48,894 merges, start and end. */
export const CLIP_VOCABULARY = 49_408;

/** Tokens that are no merges of the file: single bytes, start and end. */
const FIXED_TOKENS = FIRST_MERGE + 2;

/** OpenAI's merges, unchanged; its licence lies beside it. */
const CLIP_MERGES = new URL('../../vocabulary/bpe_simple_vocab_16e6.txt.gz', import.meta.url);

/** Settings of a {@link ClipTokenizer}. */
export interface TokenizerOptions {
  /**
   * Tokens in the vocabulary. Default: {@link CLIP_VOCABULARY}, or all that a file of one's own has. A smaller number
   * keeps the first merges only, the most frequent ones, so that a small text tower has a vocabulary to match.
   */
  vocabulary?: number;
  /** A file of merges, plain or gzipped, such as `merges.txt` of Hugging Face. Default: OpenAI's. */
  merges?: string | URL;
}

/** How texts are turned to tokens. */
export interface EncodeOptions {
  /**
   * What `<|startoftext|>` and `<|endoftext|>` in a text mean: `text` (default) are characters like others, so that no
   * caption can end its row; `tokens` are the tokens start and end, as OpenAI's code reads them.
   */
  specials?: 'text' | 'tokens';
}

/** How rows of tokens are made. */
export interface RowOptions extends EncodeOptions {
  /** Columns, start and end included. Default 77. */
  context?: number;
  /** What happens to texts that are too long: `error` (default), or `truncate` after `context - 1` tokens. */
  tooLong?: 'error' | 'truncate';
}

/** CLIP's tokenizer: cleaning, splitting into words, byte-pair encoding of every word. */
export class ClipTokenizer {
  /** Tokens in the vocabulary. */
  readonly vocabulary: number;
  /** The token before every text. */
  readonly start: number;
  /** The token behind every text: the highest one. */
  readonly end: number;
  readonly #pairs: BytePairs;
  readonly #words = new Map<string, readonly number[]>();
  readonly #plainWords = new WordCache();

  /**
   * @throws ChronotopeError `vocabulary-file` if the file cannot be read or is none; `vocabulary-size` if it has fewer
   *   merges than the vocabulary needs
   */
  constructor({ vocabulary, merges = CLIP_MERGES }: TokenizerOptions = {}) {
    const wanted = vocabulary ?? (merges === CLIP_MERGES ? CLIP_VOCABULARY : undefined);
    this.#pairs = readMerges(merges, wanted);
    this.vocabulary = FIXED_TOKENS + this.#pairs.merges;
    this.start = this.vocabulary - 2;
    this.end = this.vocabulary - 1;
  }

  /** The tokens of a text, without start and end. */
  encode(text: string, { specials = 'text' }: EncodeOptions = {}): number[] {
    const tokens: number[] = [];
    if (specials === 'text' && isPlain(text)) {
      this.#encodePlain(text, tokens);
      return tokens;
    }
    const words = wordsOf(cleanText(text), specials);
    for (const word of words) {
      for (const token of this.#encodeWord(word, specials)) tokens.push(token);
    }
    return tokens;
  }

  /** Most texts are of printable ASCII: their words are found and encoded in place. */
  #encodePlain(text: string, tokens: number[]): void {
    const cache = this.#plainWords;
    forEachPlainWord(text, (from, to, hash) => {
      const count = cache.find(text, from, to, hash);
      if (count >= 0) {
        for (let k = 0; k < count; k++) tokens.push(cache.tokens[cache.first + k]!);
        return;
      }
      const found = this.#pairs.encode(text.slice(from, to).toLowerCase());
      for (const token of found) tokens.push(token);
      cache.add(text, from, to, hash, found);
    });
  }

  #encodeWord(word: string, specials: 'text' | 'tokens'): readonly number[] {
    if (specials === 'tokens' && word === START) return [this.start];
    if (specials === 'tokens' && word === END) return [this.end];
    const known = this.#words.get(word);
    if (known) return known;
    const tokens = this.#pairs.encode(word);
    if (this.#words.size === MOST_WORDS) this.#words.clear();
    if (word.length <= LONGEST_WORD) this.#words.set(word, tokens);
    return tokens;
  }

  /**
   * Rows for the text tower: start, the text's tokens, end, then zeros.
   *
   * @returns int64 [N, context]
   * @throws ChronotopeError `text-too-long` naming the text, unless it is to be truncated
   */
  rows(texts: readonly string[], options: RowOptions = {}): Tensor {
    const { context = 77, tooLong = 'error' } = options;
    // The lower halves of 64-bit numbers: writing big integers one by one costs more than all the rest.
    const halves = new Int32Array(2 * texts.length * context);
    for (const [index, text] of texts.entries()) {
      const tokens = this.encode(text, options);
      if (tokens.length > context - 2 && tooLong === 'error') throw textTooLong(text, tokens.length + 2, context);
      const used = Math.min(tokens.length, context - 2);
      const row = halves.subarray(2 * index * context);
      row[0] = this.start;
      for (let i = 0; i < used; i++) row[2 * (i + 1)] = tokens[i]!;
      row[2 * (used + 1)] = this.end;
    }
    return tensor(new BigInt64Array(halves.buffer), { shape: [texts.length, context] });
  }

  /** The text of tokens, with a blank behind every word, as OpenAI's decoder writes it. */
  decode(tokens: readonly number[]): string {
    const bytes = tokens.flatMap((token) => {
      if (token >= this.start) return [...ENCODER.encode(token === this.start ? START : END)];
      const found = this.#pairs.bytesOf(token);
      return found.endOfWord ? [...found.bytes, BLANK] : found.bytes;
    });
    return new TextDecoder().decode(Uint8Array.from(bytes));
  }
}

const START = '<|startoftext|>';
const END = '<|endoftext|>';
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/giu;
const WORDS_AND_SPECIALS = new RegExp(`<\\|startoftext\\|>|<\\|endoftext\\|>|${WORDS.source}`, WORDS.flags);
const ENCODER = new TextEncoder();
const BLANK = 0x20;

/** Words are remembered up to this number and length, which keeps the memory for them below some tens of megabytes. */
const MOST_WORDS = 100_000;
const LONGEST_WORD = 64;

/** The pieces of a cleaned text that are encoded by themselves. */
function wordsOf(text: string, specials: 'text' | 'tokens'): readonly string[] {
  return text.match(specials === 'tokens' ? WORDS_AND_SPECIALS : WORDS) ?? [];
}

function textTooLong(text: string, tokens: number, context: number): ChronotopeError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new ChronotopeError('text-too-long', `'${shown}' has ${tokens} tokens, but ${context} fit into a row`, {
    hint: 'shorten the text, or let long texts be truncated',
    details: { text: shown, tokens, context },
  });
}

/** The merges of a file; OpenAI's has many more lines than its vocabulary uses. */
function readMerges(file: string | URL, vocabulary: number | undefined): BytePairs {
  const wanted = vocabulary === undefined ? undefined : vocabulary - FIXED_TOKENS;
  const lines = readLines(file, wanted).slice(1);
  // Behind those of CLIP's vocabulary, OpenAI's file goes on with merges that no CLIP has learnt.
  const most = file === CLIP_MERGES ? CLIP_VOCABULARY - FIXED_TOKENS : lines.length;
  const count = wanted ?? lines.length;
  if (count < 0 || count > most) {
    throw new ChronotopeError(
      'vocabulary-size',
      `a vocabulary of ${vocabulary} tokens needs ${count} merges; ${file} has ${most}`,
      { hint: `choose ${FIXED_TOKENS} to ${FIXED_TOKENS + most} tokens`, details: { vocabulary, count } },
    );
  }
  try {
    return new BytePairs(lines.slice(0, count));
  } catch (cause) {
    throw notAVocabulary(file, (cause as Error).message, cause);
  }
}

/** The header and the lines behind it, as many as are wanted. */
function readLines(file: string | URL, wanted?: number): string[] {
  try {
    const bytes = readFileSync(file);
    const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const text = (gzipped ? gunzipSync(bytes) : bytes).toString('utf8').trimEnd();
    return (wanted === undefined ? text : firstLines(text, 1 + wanted)).split(/\r?\n/);
  } catch (cause) {
    throw notAVocabulary(file, (cause as Error).message, cause);
  }
}

/** Splitting all of OpenAI's file into lines would cost more than reading it. */
function firstLines(text: string, count: number): string {
  let end = -1;
  for (let line = 0; line < count; line++) {
    end = text.indexOf('\n', end + 1);
    if (end < 0) return text;
  }
  return text.slice(0, end);
}

function notAVocabulary(file: string | URL, problem: string, cause: unknown): ChronotopeError {
  return new ChronotopeError('vocabulary-file', `cannot read merges from ${file}: ${problem}`, {
    hint: 'give a file with a header line and then one merge of two symbols a line, plain or gzipped',
    details: { file: String(file) },
    cause,
  });
}
