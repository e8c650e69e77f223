import { readFileSync, writeFileSync } from 'node:fs';
import { ChronotopeError } from '../errors.js';

/** The part of a data set a video belongs to: `train` holds labelled and unlabelled videos, `test` only reports. */
export type Split = 'train' | 'test';

/** One video of a data set: one line of a manifest. */
export interface ManifestEntry {
  /** The video's name everywhere in the toolkit: its path relative to the data folder, with `/` between the parts. */
  id: string;
  /** Where the file is. Absolute, or relative to the current folder. */
  path: string;
  /** The class, or `null` for an unlabelled video. */
  label: string | null;
  split: Split;
}

/**
 * Reads a manifest: JSON Lines, one {@link ManifestEntry} a line, blank lines allowed, unknown fields ignored.
 *
 * @throws ChronotopeError `manifest-unreadable` when the file cannot be read; `manifest-invalid`, with the number of the
 *   line in `details.line`, when a line is not JSON, lacks a field, holds a wrong type or repeats an id.
 */
export function readManifest(file: string): ManifestEntry[] {
  const entries: ManifestEntry[] = [];
  const lineOf = new Map<string, number>();
  readTextFile(file, 'manifest-unreadable')
    .split('\n')
    .forEach((text, index) => {
      if (text.trim() === '') {
        return;
      }
      const line = index + 1;
      const entry = parseEntry(text, (problem) => invalidLine(file, line, problem));
      const earlier = lineOf.get(entry.id);
      if (earlier !== undefined) {
        throw invalidLine(file, line, `the id "${entry.id}" was already used in line ${earlier}`);
      }
      lineOf.set(entry.id, line);
      entries.push(entry);
    });
  return entries;
}

/** Writes a manifest as JSON Lines in the order given. */
export function writeManifest(file: string, entries: readonly ManifestEntry[]): void {
  const lines = entries.map(({ id, path, label, split }) => JSON.stringify({ id, path, label, split }));
  writeFileSync(file, `${lines.join('\n')}\n`);
}

/**
 * The classes of a data set in the order of their indices: sorted by Unicode code unit, so that the order does not
 * depend on the machine's language.
 */
export function classesOf(entries: readonly ManifestEntry[]): string[] {
  const labels = entries.flatMap((entry) => (entry.label === null ? [] : [entry.label]));
  return [...new Set(labels)].sort();
}

/**
 * Reads a UTF-8 text file without its byte order mark.
 *
 * @throws ChronotopeError with the given code and the file's name when it cannot be read.
 */
export function readTextFile(file: string, code: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    throw new ChronotopeError(code, `cannot read ${file}: ${(cause as Error).message}`, {
      hint: 'Check the path and the permission to read it.',
      details: { file },
      cause,
    });
  }
}

function parseEntry(text: string, invalid: (problem: string) => ChronotopeError): ManifestEntry {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`not JSON (${(error as Error).message})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('expected a JSON object');
  }
  const { id, path, label, split } = value as Record<string, unknown>;
  if (typeof id !== 'string' || id === '') {
    throw invalid('"id" must be a text that is not empty');
  }
  if (typeof path !== 'string' || path === '') {
    throw invalid('"path" must be a text that is not empty');
  }
  if (label !== null && (typeof label !== 'string' || label === '')) {
    throw invalid('"label" must be the name of a class, or null for an unlabelled video');
  }
  if (split !== 'train' && split !== 'test') {
    throw invalid('"split" must be "train" or "test"');
  }
  return { id, path, label, split };
}

function invalidLine(file: string, line: number, problem: string): ChronotopeError {
  return new ChronotopeError('manifest-invalid', `${file}, line ${line}: ${problem}`, {
    hint: 'A manifest has one JSON object a line: {"id": …, "path": …, "label": … or null, "split": "train" or "test"}.',
    details: { file, line },
  });
}
