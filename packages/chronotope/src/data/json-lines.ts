import { closeSync, openSync, readSync } from 'node:fs';
import type { z } from 'zod';
import { ChronotopeError } from '../errors.js';

const CHUNK_BYTES = 1 << 16;
const LINE_FEED = 0x0a;

/** One line of a text file. */
export interface TextLine {
  /** Without its line break. */
  text: string;
  /** 1 for the first line. */
  line: number;
  /** Where the line begins in the file, and its length without the line break, in bytes. */
  offset: number;
  bytes: number;
  /** False only for a last line that has no line break. */
  ended: boolean;
}

/**
 * The lines of a UTF-8 text file, read piece by piece, so that memory does not grow with the file. Without the byte
 * order mark; `\n` and `\r\n` both end a line.
 *
 * @throws ChronotopeError with the given code and the file's name when it cannot be read.
 */
export function* readLines(file: string, code: string): Generator<TextLine> {
  const handle = attempt(file, code, () => openSync(file, 'r'));
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let pending = Buffer.alloc(0);
    let offset = 0;
    let line = 0;
    const take = (bytes: number, ended: boolean): TextLine => {
      line += 1;
      const text = pending.toString('utf8', 0, bytes).replace(line === 1 ? /^\uFEFF|\r$/g : /\r$/, '');
      const taken = { text, line, offset, bytes, ended };
      pending = pending.subarray(bytes + 1);
      offset += bytes + 1;
      return taken;
    };
    for (;;) {
      const bytes = attempt(file, code, () => readSync(handle, chunk));
      if (bytes === 0) break;
      pending = Buffer.concat([pending, chunk.subarray(0, bytes)]);
      for (let end = pending.indexOf(LINE_FEED); end >= 0; end = pending.indexOf(LINE_FEED)) yield take(end, true);
    }
    if (pending.length > 0) yield take(pending.length, false);
  } finally {
    closeSync(handle);
  }
}

/** What a JSON Lines file holds and how its mistakes are reported. */
export interface JsonLinesFormat<T> {
  schema: z.ZodType<T>;
  /** Codes of the errors for a file that cannot be read, and for a line that is wrong. */
  unreadable: string;
  invalid: string;
  /** What a line looks like; the hint of every error about a line. */
  hint: string;
}

/**
 * The values of a JSON Lines file, checked one by one as they are read. Blank lines are passed over, fields that the
 * schema does not know are left out.
 *
 * @throws ChronotopeError with the format's codes; for a line, its number is in the message and in `details.line`
 */
export function* readJsonLines<T>(file: string, format: JsonLinesFormat<T>): Generator<{ value: T; line: number }> {
  for (const { text, line } of readLines(file, format.unreadable)) {
    if (text.trim() === '') continue;
    const parsed = parseJsonLine(text, format.schema);
    if ('problem' in parsed) throw lineError(file, line, parsed.problem, format);
    yield { value: parsed.value, line };
  }
}

/** One line of JSON against a schema: its value, or what is wrong with it, in words. */
export function parseJsonLine<T>(text: string, schema: z.ZodType<T>): { value: T } | { problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { problem: `not JSON (${(error as Error).message})` };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { problem: 'expected a JSON object' };
  const checked = schema.safeParse(json);
  if (checked.success) return { value: checked.data };
  const { path, message } = checked.error.issues[0]!;
  return { problem: `"${path.join('.')}" ${message}` };
}

/** The error for one line of a file. */
export function lineError(
  file: string,
  line: number,
  problem: string,
  { invalid, hint }: { invalid: string; hint: string },
): ChronotopeError {
  return new ChronotopeError(invalid, `${file}, line ${line}: ${problem}`, { hint, details: { file, line } });
}

function attempt<T>(file: string, code: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new ChronotopeError(code, `cannot read ${file}: ${(cause as Error).message}`, {
      hint: 'Check the path and the permission to read it.',
      details: { file },
      cause,
    });
  }
}
