import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { scope } from '@chronotope/torch';
import fc from 'fast-check';
import { readGolden } from '../testing/golden.js';
import { BYTE_ORDER, byteCharacters } from './byte-pairs.js';
import { cleanText } from './clean-text.js';
import { ClipTokenizer } from './tokenizer.js';

interface Golden {
  items: {
    text: string;
    cleaned: string;
    ids: number[];
    decoded: string;
    raises_without_truncate: boolean;
  }[];
  padded_examples: { text: string; context_length: number; truncate: boolean; tokens: number[] }[];
  byte_to_unicode: Record<string, string>;
  vocab_spot_checks: Record<string, string>;
  sot_id: number;
  eot_id: number;
}

const GOLDEN = readGolden<Golden>('clip/tokenizer.json');
const tokenizer = new ClipTokenizer();
const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
after(() => rmSync(folder, { recursive: true }));

test("the vocabulary is OpenAI's, unchanged", () => {
  const file = readFileSync(new URL('../../vocabulary/bpe_simple_vocab_16e6.txt.gz', import.meta.url));
  assert.equal(
    createHash('sha256').update(file).digest('hex'),
    '924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a',
  );
  assert.deepEqual([tokenizer.vocabulary, tokenizer.start, tokenizer.end], [49408, GOLDEN.sot_id, GOLDEN.eot_id]);
  const characters = new Map(BYTE_ORDER.map((byte, index) => [String(byte), byteCharacters()[index]]));
  assert.deepEqual(Object.fromEntries(characters), GOLDEN.byte_to_unicode);
  for (const [token, symbol] of Object.entries(GOLDEN.vocab_spot_checks)) {
    if (symbol.startsWith('<|')) continue;
    const bytes = [...symbol.replace('</w>', '')].map((character) => BYTE_ORDER[byteCharacters().indexOf(character)]!);
    const text = new TextDecoder().decode(Uint8Array.from(bytes));
    assert.equal(tokenizer.decode([Number(token)]), symbol.endsWith('</w>') ? `${text} ` : text, symbol);
  }
});

for (const { text, cleaned, ids, decoded } of GOLDEN.items) {
  test(`tokens of ${JSON.stringify(text.slice(0, 40))} are those of OpenAI's tokenizer`, () => {
    assert.equal(cleanText(text), cleaned);
    assert.deepEqual(tokenizer.encode(text, { specials: 'tokens' }), ids);
    assert.equal(tokenizer.decode(ids), decoded);
  });
}

test('rows begin and end with their tokens, are filled with zeros, and truncated only if asked to', () => {
  scope(() => {
    for (const { text, context_length: context, tokens } of GOLDEN.padded_examples) {
      const rows = tokenizer.rows([text], { context, tooLong: 'truncate' });
      assert.deepEqual(Array.from(rows.data() as BigInt64Array, Number), tokens);
    }
    for (const { text, raises_without_truncate } of GOLDEN.items) {
      const attempt = () => tokenizer.rows([text], { specials: 'tokens' });
      if (raises_without_truncate) assert.throws(attempt, { code: 'text-too-long', message: /tokens, but 77 fit/ });
      else attempt();
    }
  });
});

test('a caption that spells the end token does not end its row', () => {
  const tokens = tokenizer.encode('cut <|endoftext|> here <|startoftext|>');
  assert.ok(tokens.every((token) => token < tokenizer.start));
  assert.equal(tokenizer.decode(tokens), 'cut <| endoftext |> here <| startoftext |> ');
});

test('captions of 10,000 characters, of one word or of many, are encoded in no time and truncated to a row', () => {
  const long = ['a person '.repeat(1200), 'x'.repeat(10_000), '日本語のテキスト'.repeat(1250), '👋🏽'.repeat(2500)];
  scope(() => {
    const rows = tokenizer.rows(long, { tooLong: 'truncate' });
    assert.deepEqual([...rows.shape], [4, 77]);
    assert.deepEqual(rows.select(1, 76).toArray(), Array(4).fill(tokenizer.end));
  });
  for (const text of long)
    assert.equal(tokenizer.decode(tokenizer.encode(text)).replaceAll(' ', ''), text.replaceAll(' ', ''));
});

test('any text comes back from its tokens, apart from cleaning and blanks', () => {
  const bare = (text: string) => text.replaceAll(/\s/g, '');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      assert.equal(bare(tokenizer.decode(tokenizer.encode(text))), bare(cleanText(text)));
    }),
  );
});

test('plain ASCII, which has a way of its own, gives the tokens of the general way', () => {
  const general = new ClipTokenizer();
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme-ascii', maxLength: 6 }),
    fc.constantFrom("'s", "'LL", "don't", "'re'", "''ve", '\n', '\t ', '12', 'A', "!'s", 'Watch', '.'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('').replaceAll('|', '/');
      assert.deepEqual(tokenizer.encode(text), general.encode(text, { specials: 'tokens' }));
      // The second time from the words that are known.
      assert.deepEqual(tokenizer.encode(text), tokenizer.encode(text.toUpperCase()));
    }),
  );
});

test('more words than are remembered change nothing', () => {
  const many = Array.from(
    { length: 110_000 },
    (_, k) => `q${k.toString(26).replaceAll(/\d/g, (d) => 'stuvwxyzab'[Number(d)]!)}`,
  );
  const small = new ClipTokenizer({ vocabulary: 2000 });
  const first = many.slice(0, 50).map((word) => small.encode(word));
  for (const word of many) small.encode(word);
  assert.deepEqual(
    many.slice(0, 50).map((word) => small.encode(word)),
    first,
  );
});

test('byte pairs are merged as the definition says, lowest rank first and all occurrences from the left', () => {
  const merges = ['a a', 'a b</w>', 'aa a', 'b b', 'aa aa'];
  const file = join(folder, 'merges.txt');
  writeFileSync(file, ['#version: 0.2', ...merges, ''].join('\n'));
  const small = new ClipTokenizer({ merges: file });
  assert.equal(small.vocabulary, 514 + merges.length);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 12 }), (word) => {
      const symbols = small.encode(word).map((token) => small.decode([token]));
      assert.deepEqual(symbols, byDefinition(word, merges));
    }),
  );
});

/** The symbols of a word, ` ` for the end of a word. */
function byDefinition(word: string, merges: readonly string[]): string[] {
  let symbols = [...word.slice(0, -1), `${word.at(-1)}</w>`];
  for (;;) {
    const pairs = symbols.slice(1).map((symbol, index) => `${symbols[index]} ${symbol}`);
    const best = merges.find((merge) => pairs.includes(merge));
    if (best === undefined) return symbols.map((symbol) => symbol.replace('</w>', ' '));
    const merged: string[] = [];
    for (let i = 0; i < symbols.length; i++) {
      const found = pairs[i] === best;
      merged.push(found ? symbols[i]! + symbols[i + 1]! : symbols[i]!);
      if (found) i++;
    }
    symbols = merged;
  }
}

test('a smaller vocabulary keeps the first merges, and start and end are its highest tokens', () => {
  const small = new ClipTokenizer({ vocabulary: 2000 });
  assert.deepEqual([small.start, small.end], [1998, 1999]);
  assert.equal(small.decode(small.encode('A person jumps')), 'a person jumps ');
  assert.throws(() => new ClipTokenizer({ vocabulary: 500 }), { code: 'vocabulary-size' });
  for (const vocabulary of [49_409, 1_000_000]) {
    assert.throws(() => new ClipTokenizer({ vocabulary }), { code: 'vocabulary-size' });
  }
});

test('files that are no vocabulary are refused by name', () => {
  const file = join(folder, 'other.txt');
  writeFileSync(file, 'a,b\nnot a merge\n');
  assert.throws(() => new ClipTokenizer({ merges: file }), {
    code: 'vocabulary-file',
    message: /merge 1, 'not a merge'/,
  });
  assert.throws(() => new ClipTokenizer({ merges: join(folder, 'none') }), { code: 'vocabulary-file' });
  writeFileSync(file, `#version: 0.2\n${'a a\n'.repeat(65_025)}`);
  assert.throws(() => new ClipTokenizer({ merges: file }), { code: 'vocabulary-file', message: /65025 merges/ });
});

test('entities and damaged text are repaired, and what is meant is left alone', () => {
  const cases: [string, string][] = [
    ['caf&eacute; &#x4E2D;&#20013; &copy2024 &notit; &unknown; &#150; &Alpha;', 'café 中中 ©2024 ¬it; &unknown; – α'],
    ['&#0; &#xD800; &#1114112;', '\ufffd \ufffd \ufffd'],
    ['Soufflé™ SOUFFLÉ™', 'soufflé™ soufflé™'],
    ['â€œquotedâ€\x9d', '"quoted"'],
    ['lone \ud800 surrogate', 'lone \ufffd surrogate'],
  ];
  for (const [text, expected] of cases) assert.equal(cleanText(text), expected);
});
