import { dirname, join } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { readTextFile } from '../manifest.js';
import {
  type Dataset,
  type DatasetReader,
  MissingFiles,
  makeDataset,
  nothingFound,
  type ReadOptions,
  type Source,
} from './dataset.js';
import { fileStart, malformed } from './lines.js';
import { COLUMNS, type Column, columnsOf, type Row, RowReader } from './table-row.js';

/** One record of a CSV file. */
export interface CsvRecord {
  fields: string[];
  /** Number of its (last) line, from 1. */
  line: number;
}

/** Columns of a table without a header, by how many there are. */
const WITHOUT_HEADER: readonly Column[] = ['path', 'label', 'split'];

/** Videos in a table: one row each, a header with the names of {@link COLUMNS}, or `path[,label[,split]]` without one. */
export const csv: DatasetReader = {
  format: 'csv',
  general: true,
  recognise(source) {
    if (source.kind === 'file') {
      return /\.(csv|tsv)$/i.test(source.path) ? 'the extension of a table' : null;
    }
    const table = tableIn(source);
    return table === null ? null : `the table ${table}`;
  },
  read(source, options) {
    const table = source.kind === 'file' ? source.path : tableIn(source);
    if (table === null) {
      throw nothingFound('csv', source, 'a .csv file, or a folder with one that has a column "path"');
    }
    return readTable(source, source.kind === 'file' ? table : join(source.path, table), options);
  },
};

/**
 * The records of a CSV file as RFC 4180 has them: quoted fields with separators, quotes and line ends in them; LF and
 * CRLF; byte order mark; blank lines skipped. Comma, semicolon or tab, whichever the first line has most of.
 *
 * @throws ChronotopeError `list-unreadable`; `malformed-line` with `details.line`
 */
export function readCsv(file: string): CsvRecord[] {
  const text = readTextFile(file, 'list-unreadable');
  try {
    const records = parse(text, {
      delimiter: likelyDelimiter(text),
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return records.map(({ record, info }) => ({ fields: record, line: info.lines }));
  } catch (cause) {
    if (cause instanceof CsvError) {
      throw malformed(file, Number(cause.lines), `not CSV (${cause.message})`);
    }
    throw cause;
  }
}

function readTable(source: Source, file: string, options: ReadOptions): Dataset {
  const records = readCsv(file);
  const { columns, width, rows } = splitHeader(file, records, options);
  const reader = new RowReader(options.videos ?? dirname(file));
  const missing = new MissingFiles();
  const entries = rows.flatMap(({ fields, line }) => {
    const invalid = (problem: string): Error => malformed(file, line, problem);
    if (fields.length !== width) {
      throw invalid(`expected ${width} fields, got ${fields.length}: ${fields.join(',')}`);
    }
    const row: Row = {};
    for (const [column, index] of Object.entries(columns) as [Column, number][]) {
      if (fields[index] !== '') row[column] = fields[index]!;
    }
    const { entry, present } = reader.entry(row, invalid);
    if (present || options.missing === 'keep') {
      return [entry];
    }
    missing.add(row.path!);
    return [];
  });
  return makeDataset('csv', source, { entries, missing });
}

function splitHeader(file: string, records: readonly CsvRecord[], { columns: named }: ReadOptions) {
  const [first] = records;
  if (first === undefined) {
    throw malformed(file, null, 'expected one row a video, got an empty file');
  }
  const columns = columnsOf(first.fields, named);
  if (columns.path !== undefined) {
    for (const [column, name] of Object.entries(named ?? {}) as [Column, string][]) {
      if (columns[column] === undefined) {
        throw malformed(file, first.line, `expected a column "${name}" (${column}), got ${first.fields.join(', ')}`);
      }
    }
    return { columns, width: first.fields.length, rows: records.slice(1) };
  }
  const width = first.fields.length;
  if (width > WITHOUT_HEADER.length || named !== undefined) {
    const expected = `a header with a column "path" (also: ${COLUMNS.path.slice(1).join(', ')})`;
    throw malformed(file, first.line, `expected ${expected}, got ${first.fields.join(', ')}`);
  }
  return {
    columns: Object.fromEntries(WITHOUT_HEADER.slice(0, width).map((column, index) => [column, index])),
    width,
    rows: records,
  };
}

/** The only table in a folder that lists videos. */
function tableIn(source: Source): string | null {
  const tables = source.files.filter(
    (name) => /\.(csv|tsv)$/i.test(name) && columnsOf(csvHeader(join(source.path, name))).path !== undefined,
  );
  return tables.length === 1 ? tables[0]! : null;
}

/** The first row of a file that may be anything, for telling what it is; empty when it is no table. */
export function csvHeader(file: string): string[] {
  const [line = ''] = fileStart(file).split(/\r?\n/);
  try {
    return (parse(line, { delimiter: likelyDelimiter(line), trim: true }) as string[][])[0] ?? [];
  } catch {
    return [];
  }
}

function likelyDelimiter(text: string): string {
  const first = text.slice(0, text.search(/[\r\n]|$/));
  const uses = (separator: string): number => first.split(separator).length;
  return [',', ';', '\t'].reduce((best, separator) => (uses(separator) > uses(best) ? separator : best));
}
