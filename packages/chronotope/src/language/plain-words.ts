import { hashLetter, lowerCase } from './word-cache.js';

/** What a character of plain text is. */
const [OTHER, BLANK, LETTER, DIGIT, SIGN] = [0, 1, 2, 3, 4];

/** By code: printable ASCII without `&`, which may begin an entity, and white space. */
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[\t\n\r ]/.test(character)) return BLANK!;
  if (/[a-z]/i.test(character)) return LETTER!;
  if (/\d/.test(character)) return DIGIT!;
  return code > 0x20 && code < 0x7f && character !== '&' ? SIGN! : OTHER!;
});

const APOSTROPHE = 0x27;

/** What follows an apostrophe in a word of its own, in the order in which CLIP's tokenizer looks for it. */
const ENDINGS = ['s', 't', 're', 've', 'm', 'll', 'd'].map((ending) =>
  [...ending].map((letter) => letter.charCodeAt(0)),
);

/** Whether a text is plain: nothing in it has to be cleaned but white space and capitals. */
export function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 128 || KINDS[code] === OTHER) return false;
  }
  return true;
}

/**
 * Visits the words of a plain text as CLIP's tokenizer splits it: `'s` and the like, runs of letters, single digits, runs of other
 * signs.
 *
 * @param visit the word's place in the text, and the hash of its letters in lower case
 */
export function forEachPlainWord(text: string, visit: (from: number, to: number, hash: number) => void): void {
  let from = 0;
  while (from < text.length) {
    const code = text.charCodeAt(from);
    const kind = KINDS[code];
    if (kind === BLANK) {
      from++;
      continue;
    }
    let to = from + 1;
    if (code === APOSTROPHE) to += endingAt(text, to);
    if (to === from + 1 && kind !== DIGIT) {
      while (to < text.length && KINDS[text.charCodeAt(to)] === kind) to++;
    }
    let hash = 0;
    for (let i = from; i < to; i++) hash = hashLetter(hash, lowerCase(text.charCodeAt(i)));
    visit(from, to, hash);
    from = to;
  }
}

/** How many letters of an ending stand at a place; 0 for none. */
function endingAt(text: string, from: number): number {
  const [first, second] = [lowerCase(text.charCodeAt(from)), lowerCase(text.charCodeAt(from + 1))];
  for (const ending of ENDINGS) {
    if (ending[0] === first && (ending.length === 1 || ending[1] === second)) return ending.length;
  }
  return 0;
}
