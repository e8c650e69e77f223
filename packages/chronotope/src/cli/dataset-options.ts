import { type Command, InvalidArgumentError, Option } from 'commander';
import { DATASET_FORMATS, missingNote } from '../data/readers/dataset.js';
import type { ReadDataset, ReadDatasetOptions } from '../data/readers/read-dataset.js';
import { COLUMNS, type Column } from '../data/readers/table-row.js';

/** Flags of every command that reads a data set in any format. */
export interface DatasetFlags {
  format: ReadDatasetOptions['format'];
  videos?: string;
  fold?: number;
  groupPattern?: RegExp;
  column?: Partial<Record<Column, string>>;
  keepMissing?: boolean;
}

/** Adds the options of every command that reads a data set. */
export function addDatasetOptions(command: Command): Command {
  return addLayoutOptions(command).option('--keep-missing', 'keep listed videos that are not on the disk');
}

/** Adds those that say which layout it is, and what its reader must know. */
export function addLayoutOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--format <name>', 'the layout of the data set').choices(['auto', ...DATASET_FORMATS]).default('auto'),
    )
    .option('--videos <folder>', 'where the videos are, if not beside the lists')
    .option('--fold <n>', 'which official split of UCF101 or HMDB51 (default: 1)', foldNumber)
    .option(
      '--group-pattern <regex>',
      'groups from ids: the part in parentheses, such as "_(p\\d+)_"',
      regularExpression,
    )
    .option('--column <what=name>', `name of a column: ${Object.keys(COLUMNS).join(', ')}; may be repeated`, column);
}

/** Those options as {@link readDataset} takes them. */
export function readOptions({
  format,
  videos,
  fold,
  groupPattern,
  column,
  keepMissing,
}: DatasetFlags): ReadDatasetOptions {
  return { format, videos, fold, groupPattern, columns: column, missing: keepMissing ? 'keep' : 'leave-out' };
}

/** What a person should know about how a data set was read, one remark a line. */
export function readingRemarks(dataset: ReadDataset, kept = false): string {
  const { format, recognisedBy, notes } = dataset;
  const recognised = recognisedBy === null ? format : `${format}, recognised by ${recognisedBy}`;
  const missing = missingNote(dataset, kept);
  return [
    `format: ${recognised}`,
    ...(missing === null ? [] : [`note: ${missing}`]),
    ...notes.map((note) => `note: ${note}`),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function foldNumber(text: string): number {
  if (!/^[123]$/.test(text)) throw new InvalidArgumentError('expected 1, 2 or 3.');
  return Number(text);
}

function regularExpression(text: string): RegExp {
  let pattern: RegExp;
  try {
    pattern = new RegExp(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
  if (new RegExp(`${text}|`).exec('')!.length < 2) {
    throw new InvalidArgumentError('expected a pair of parentheses around the part that names the group.');
  }
  return pattern;
}

function column(text: string, before: Partial<Record<Column, string>> = {}): Partial<Record<Column, string>> {
  const [, what, name] = /^(\w+)=(.+)$/.exec(text) ?? [];
  if (what === undefined || !(what in COLUMNS)) {
    throw new InvalidArgumentError(`expected <what>=<name>, with one of ${Object.keys(COLUMNS).join(', ')}.`);
  }
  return { ...before, [what]: name };
}
