import { unescapeHtml } from './html-entities.js';

/**
 * What CLIP's tokenizer does to a text before it looks at it: repairs damaged Unicode, resolves HTML entities, makes
 * every run of white space one blank, and turns everything to lower case.
 *
 * The repairs are those of the Python library ftfy with its defaults, which OpenAI's tokenizer calls: text whose UTF-8
 * was read as Windows-1252 (only where the whole text can be read back), curly quotes, full-width and half-width forms,
 * Latin ligatures, terminal escapes, control characters, and NFC.
 */
export function cleanText(text: string): string {
  return oneBlank(unescapeHtml(unescapeHtml(repair(text)))).toLowerCase();
}

function oneBlank(text: string): string {
  if (!UNEVEN_BLANKS.test(text)) return text;
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** Anything between words but single blanks. */
const UNEVEN_BLANKS = /[^\S ]|^ | $| {2}/;

function repair(text: string): string {
  const plain = text.includes('<') ? text : unescapeHtml(text);
  return repairEncoding(plain)
    .replaceAll(C1_CONTROLS, (control) => WINDOWS_1252[control.charCodeAt(0) - 0x80]!)
    .replaceAll(LIGATURES, (ligature) => LETTERS_OF[ligature]!)
    .replaceAll(OTHER_WIDTH, (wide) => wide.normalize('NFKC'))
    .replaceAll(/[\u02bc\u2018-\u201b]/g, "'")
    .replaceAll(/[\u201c-\u201f]/g, '"')
    .replaceAll(/\r\n|[\r\u2028\u2029\u0085]/g, '\n')
    .replaceAll(/\p{Surrogate}/gu, '\ufffd')
    .replaceAll(TERMINAL_ESCAPES, '')
    .replaceAll(CONTROLS, '')
    .normalize('NFC');
}

/** The 32 characters of Windows-1252 at 0x80; the five holes hold the control of that number. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

const LETTERS_OF: Readonly<Record<string, string>> = {
  ...{ Ĳ: 'IJ', ĳ: 'ij', ŉ: 'ʼn', Ǳ: 'DZ', ǲ: 'Dz', ǳ: 'dz', Ǆ: 'DŽ', ǅ: 'Dž', ǆ: 'dž' },
  ...{ Ǉ: 'LJ', ǈ: 'Lj', ǉ: 'lj', Ǌ: 'NJ', ǋ: 'Nj', ǌ: 'nj' },
  ...{ ﬀ: 'ff', ﬁ: 'fi', ﬂ: 'fl', ﬃ: 'ffi', ﬄ: 'ffl', ﬅ: 'ſt', ﬆ: 'st' },
};
const LIGATURES = new RegExp(`[${Object.keys(LETTERS_OF).join('')}]`, 'g');

const OTHER_WIDTH = /[\u3000\uff01-\uffef]/g;
const C1_CONTROLS = /[\x80-\x9f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const TERMINAL_ESCAPES = /\x1b\[[\d;]*[a-zA-Z]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROLS = /[\x00-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/g;

/**
 * Text whose UTF-8 was once decoded as Windows-1252, decoded again, as long as that gives a text. One damaged character
 * counts only if it begins as most damaged text in the Latin alphabet does (é for é): others, such as an É before a ™,
 * may well be meant.
 */
function repairEncoding(text: string): string {
  const bytes = windows1252Bytes(text);
  if (bytes === undefined) return text;
  let repaired: string;
  try {
    repaired = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return text;
  }
  const damaged = text.match(/[\u0080-\u{10ffff}]/gu) ?? [];
  const restored = repaired.match(/[\u0080-\u{10ffff}]/gu) ?? [];
  const likely = restored.length > 1 || 'ÂÃâð'.includes(damaged[0]!);
  return likely ? repairEncoding(repaired) : text;
}

/** The bytes of a text in Windows-1252; undefined if it is ASCII or has a character that the encoding has not. */
function windows1252Bytes(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  let ascii = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const upper = code < 0x80 ? -1 : WINDOWS_1252.indexOf(text[i]!);
    if (upper < 0 && code > 0xff) return undefined;
    bytes[i] = upper < 0 ? code : 0x80 + upper;
    ascii &&= code < 0x80;
  }
  return ascii ? undefined : bytes;
}
