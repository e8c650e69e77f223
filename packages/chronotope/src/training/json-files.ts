import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeAtomically } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';

/**
 * Writes a whole file or nothing: a temporary file in the same folder, flushed to the disk, then renamed. A kill at any
 * instant leaves the old content or the new one.
 */
export function writeFileAtomic(file: string, content: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeAtomically(file, (handle) => writeFileSync(handle, content));
}

/** Writes `value` as indented JSON; a reader sees the old file or the new one, never half of it. */
export function writeJsonAtomic(file: string, value: unknown): void {
  writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** @throws ChronotopeError `damaged-file` when the file can't be read or is not JSON */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ChronotopeError('damaged-file', `${file} can't be read: ${(cause as Error).message}`, {
      hint: 'The file is damaged; delete its folder to do that part of the run again.',
      cause,
    });
  }
}
