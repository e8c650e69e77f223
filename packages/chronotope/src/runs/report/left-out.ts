import { ChronotopeError } from '../../errors.js';
import { readJson } from '../../training/json-files.js';
import type { RunFolder } from '../run-folder.js';

/** Whether an error only says that there is nothing to test on. */
export function isWithoutVideos(error: unknown): error is ChronotopeError {
  return error instanceof ChronotopeError && ['no-test-videos', 'no-usable-videos'].includes(error.code);
}

/** The training videos that a run had to leave out. */
export function readExcluded(run: RunFolder): { id: string; reason: string }[] {
  try {
    return readJson(run.path('excluded.json')) as { id: string; reason: string }[];
  } catch {
    return [];
  }
}
