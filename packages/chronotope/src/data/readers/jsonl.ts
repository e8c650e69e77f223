import { dirname } from 'node:path';
import { readManifest } from '../manifest.js';
import { type DatasetReader, MissingFiles, makeDataset } from './dataset.js';
import { fileStart, type Line, listLines, malformed } from './lines.js';
import { COLUMNS, type Column, columnsOf, type Row, RowReader } from './table-row.js';

/** A manifest that this toolkit has written. */
export const manifest: DatasetReader = {
  format: 'manifest',
  general: false,
  recognise(source) {
    return isJsonLines(source.path) && hasFields(source.path, ['id', 'path', 'label', 'split'])
      ? 'lines with the fields id, path, label and split'
      : null;
  },
  read(source) {
    return makeDataset('manifest', source, { entries: readManifest(source.path) });
  },
};

/** Videos as JSON Lines: one object each, with fields as in the tables of `csv`. */
export const jsonl: DatasetReader = {
  format: 'jsonl',
  general: true,
  recognise: (source) => (isJsonLines(source.path) ? 'the extension of JSON Lines' : null),
  read(source, options) {
    const reader = new RowReader(options.videos ?? dirname(source.path));
    const missing = new MissingFiles();
    const entries = listLines(source.path).flatMap((line) => {
      const object = parseObject(source.path, line);
      const invalid = (problem: string): Error => malformed(source.path, line.number, problem);
      const row = rowOf(object, options.columns, invalid);
      const { entry, present } = reader.entry(row, invalid);
      if (present || options.missing === 'keep') {
        return [entry];
      }
      missing.add(row.path!);
      return [];
    });
    return makeDataset('jsonl', source, { entries, missing });
  },
};

/** Bytes; the boxes of 50,000 frames. */
const LONGEST_LINE = 2 ** 20;

const isJsonLines = (path: string): boolean => /\.(jsonl|ndjson)$/i.test(path);

function hasFields(file: string, names: readonly string[]): boolean {
  const [first = ''] = fileStart(file, LONGEST_LINE).trimStart().split('\n');
  try {
    const object = parseObject(file, { text: first, number: 1 });
    return names.every((name) => name in object);
  } catch {
    // Not JSON: reading it as jsonl names the line.
    return false;
  }
}

function parseObject(file: string, { text, number }: Line): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(file, number, `expected a JSON object, got no JSON (${(error as Error).message})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(file, number, `expected a JSON object, got ${text}`);
  }
  return value as Record<string, unknown>;
}

function rowOf(
  object: Record<string, unknown>,
  named: Partial<Record<Column, string>> | undefined,
  invalid: (problem: string) => Error,
): Row {
  const names = Object.keys(object);
  const columns = columnsOf(names, named);
  if (columns.path === undefined) {
    throw invalid(`expected a field "path" (also: ${COLUMNS.path.slice(1).join(', ')}), got ${names.join(', ')}`);
  }
  const row: Row = {};
  for (const [column, index] of Object.entries(columns) as [Column, number][]) {
    const value = object[names[index]!];
    if (value === null || value === '') continue;
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw invalid(`expected a text or a number in "${names[index]}", got ${JSON.stringify(value)}`);
    }
    row[column] = String(value);
  }
  return row;
}
