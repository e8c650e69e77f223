import { readFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { writeAtomically } from '@chronotope/torch';
import { z } from 'zod';
import { ChronotopeError } from '../errors.js';
import { type JsonLinesFormat, lineError, readJsonLines } from './json-lines.js';
import { LineWriter } from './line-writer.js';

/** The part of a data set a video belongs to: `train` holds labelled and unlabelled videos, `test` only reports. */
export type Split = 'train' | 'test';

/** One video of a data set: one line of a manifest. */
export interface ManifestEntry {
  /** The video's name everywhere in the toolkit: its path relative to the data folder, with `/` between the parts. */
  id: string;
  /** Where the file is. In a manifest file relative to the folder of the manifest, else absolute or relative to the current folder. */
  path: string;
  /** The class, or `null` for an unlabelled video. */
  label: string | null;
  split: Split;
  /** What must stay together when videos are divided: the person, the scene or the recording it was cut from. */
  group?: string;
}

const filledText = (message: string) => z.string(message).min(1, message);

/** The schema of a {@link ManifestEntry}, with messages that go on after the field's name. */
export const manifestEntrySchema = z.object({
  id: filledText('must be a text that is not empty'),
  path: filledText('must be a text that is not empty'),
  label: filledText('must be the name of a class, or null for an unlabelled video').nullable(),
  split: z.enum(['train', 'test'], 'must be "train" or "test"'),
  group: filledText('must be a text that is not empty').optional(),
});

/** How the lines of a manifest are read and reported, here for its basic fields only. */
export const manifestFormat: JsonLinesFormat<ManifestEntry> = {
  schema: manifestEntrySchema,
  unreadable: 'manifest-unreadable',
  invalid: 'manifest-invalid',
  hint: 'A manifest has one JSON object a line: {"id": …, "path": …, "label": … or null, "split": "train" or "test"}.',
};

/**
 * Reads a manifest: JSON Lines, one {@link ManifestEntry} a line, blank lines allowed, unknown fields ignored. Relative
 * paths in it start at its own folder, so that a data set and its manifest can be moved together.
 *
 * @throws ChronotopeError as {@link manifestEntries}
 */
export function readManifest(file: string): ManifestEntry[] {
  return [...manifestEntries(file, manifestFormat)];
}

/**
 * The entries of a manifest one by one, with the fields that the format's schema knows; their paths are absolute.
 *
 * @throws ChronotopeError `manifest-unreadable` when the file cannot be read; `manifest-invalid`, with the number of the
 *   line in `details.line`, when a line is not JSON, lacks a field, holds a wrong type or repeats an id.
 */
export function* manifestEntries<Entry extends ManifestEntry>(
  file: string,
  format: JsonLinesFormat<Entry>,
): Generator<Entry> {
  const folder = dirname(resolve(file));
  const lineOf = new Map<string, number>();
  for (const { value, line } of readJsonLines(file, format)) {
    const earlier = lineOf.get(value.id);
    if (earlier !== undefined) {
      throw lineError(file, line, `the id "${value.id}" was already used in line ${earlier}`, format);
    }
    lineOf.set(value.id, line);
    yield { ...value, path: resolve(folder, value.path) };
  }
}

/** Writes a manifest as JSON Lines in the order given, one entry at a time; the file is replaced when it is complete. */
export function writeManifest(file: string, entries: Iterable<ManifestEntry>): void {
  const folder = dirname(resolve(file));
  writeAtomically(file, (handle) => {
    const lines = new LineWriter(handle);
    for (const { id, path, label, split, group, ...facts } of entries) {
      lines.write(JSON.stringify({ id, path: portablePath(folder, path), label, split, group, ...facts }));
    }
    lines.flush();
  });
}

/** A path as a manifest in `folder` states it: relative, with `/` between the parts. */
export function portablePath(folder: string, path: string): string {
  return relative(folder, resolve(path)).split(sep).join('/');
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
