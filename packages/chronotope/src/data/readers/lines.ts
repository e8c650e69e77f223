import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { ChronotopeError } from '../../errors.js';
import { readLines } from '../json-lines.js';
import { readTextFile } from '../manifest.js';

/** A line of a text file that is not blank. */
export interface Line {
  text: string;
  /** Counted from 1. */
  number: number;
}

/** The lines of a list, trimmed, without blank ones; LF and CRLF, with or without byte order mark, also `.gz`. */
export function listLines(file: string): Line[] {
  const lines = file.endsWith('.gz') ? readCompressed(file).split('\n') : plainLines(file);
  return Array.from(lines, (text, index) => ({ text: text.trim(), number: index + 1 })).filter(
    ({ text }) => text !== '',
  );
}

function* plainLines(file: string): Generator<string> {
  for (const { text } of readLines(file, 'list-unreadable')) yield text;
}

/** The beginning of a file, for telling what it is; empty when it cannot be read. */
export function fileStart(file: string, bytes = 65_536): string {
  const buffer = Buffer.alloc(bytes);
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch {
    return '';
  }
  try {
    return buffer.toString('utf8', 0, readSync(handle, buffer)).replace(/^\uFEFF/, '');
  } catch {
    return '';
  } finally {
    closeSync(handle);
  }
}

/** Reads a JSON file. @throws ChronotopeError `list-unreadable`, `malformed-line` */
export function readJsonFile(file: string): unknown {
  const text = readTextFile(file, 'list-unreadable');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed(file, lineOfSyntaxError(text, cause as Error), `not JSON (${(cause as Error).message})`);
  }
}

/** A line that is not what its format asks for. `problem` says what was found and what was expected. */
export function malformed(file: string, line: number | null, problem: string): ChronotopeError {
  const where = line === null ? file : `${file}, line ${line}`;
  return new ChronotopeError('malformed-line', `${where}: ${problem}`, {
    hint: 'Correct or remove the line; docs/datasets.md shows every format.',
    details: { file, line },
  });
}

function readCompressed(file: string): string {
  try {
    return gunzipSync(readFileSync(file))
      .toString('utf8')
      .replace(/^\uFEFF/, '');
  } catch (cause) {
    throw new ChronotopeError('list-unreadable', `cannot read ${file}: ${(cause as Error).message}`, {
      hint: 'Check the path and that the file is complete.',
      details: { file },
      cause,
    });
  }
}

/** V8 names the position of a syntax error as an offset, "position 17"; the end of the text has none. */
function lineOfSyntaxError(text: string, error: Error): number {
  const position = /position (\d+)/.exec(error.message)?.[1];
  const before = position === undefined ? text.trimEnd() : text.slice(0, Number(position));
  return before.split('\n').length;
}
