import { ChronotopeError } from '../../errors.js';
import type { Listing } from '../folders.js';
import { classesOf, type ManifestEntry } from '../manifest.js';
import type { Column } from './table-row.js';

/** The layouts that {@link readDataset} reads; docs/datasets.md shows each. */
export const DATASET_FORMATS = [
  'class-folders',
  'videos',
  'manifest',
  'csv',
  'jsonl',
  'frame-folders',
  'image-folders',
  'ucf101',
  'hmdb51',
  'kinetics',
  'something-something',
  'jester',
  'r2v2',
  'got10k',
  'otb',
  'webdataset',
  'label-studio',
  'cvat',
] as const;

/** A layout of data sets that is read. */
export type DatasetFormat = (typeof DATASET_FORMATS)[number];

/** What is to be read: one file, or a folder with the visible files and folders directly in it. */
export interface Source extends Listing {
  path: string;
  kind: 'file' | 'folder';
}

/** What the readers of all formats can be told. */
export interface ReadOptions {
  /** Folder with the videos where it is not the one with the lists. Each format has its default. */
  videos?: string;
  /** Which of the official splits to use (UCF101, HMDB51). Default 1. */
  fold?: number;
  /**
   * What to do with a listed file that is not on the disk: leave it out and report it, or keep it, unchecked, for lists
   * that are read where the videos are not. Default `leave-out`.
   */
  missing?: 'leave-out' | 'keep';
  /** Names of columns (CSV) or fields (JSONL) where they are not the usual ones, such as `{ group: 'series' }`. */
  columns?: Partial<Record<Column, string>>;
  /** Sets the group of every entry whose id it matches: the text of its first pair of parentheses. */
  groupPattern?: RegExp;
}

/** A data set as a list of its videos. */
export interface Dataset {
  format: DatasetFormat;
  entries: ManifestEntry[];
  /** The classes, in the order of the data set's own numbering where it has one, else sorted. */
  classes: string[];
  /** What lists name but the disk does not hold; left out of `entries` unless they were to be kept. */
  missing: { count: number; first: string[] };
  /** Readable remarks: what was left out and why, which labels were not used. */
  notes: string[];
}

/** One layout. */
export interface DatasetReader {
  format: DatasetFormat;
  /** Layouts of a published data set or a program are recognised before general ones, which they often contain. */
  general: boolean;
  /** By what the source was recognised as this format, one phrase; `null` when it is something else. */
  recognise(source: Source): string | null;
  /** Reads the source, also one that {@link recognise} does not know: the user may have named the format. */
  read(source: Source, options: ReadOptions): Dataset | Promise<Dataset>;
}

const FIRST_MISSING = 5;

/** Collects listed files that are not there. */
export class MissingFiles {
  count = 0;
  readonly first: string[] = [];

  add(name: string): void {
    this.count++;
    if (this.first.length < FIRST_MISSING) {
      this.first.push(name);
    }
  }
}

/**
 * Puts a data set together.
 *
 * @throws ChronotopeError `all-missing` when lists name videos and none of them is on the disk; `repeated-id`
 */
export function makeDataset(
  format: DatasetFormat,
  source: Source,
  found: { entries: ManifestEntry[]; classes?: string[]; missing?: MissingFiles; notes?: string[] },
): Dataset {
  const { entries, classes = classesOf(entries), missing = new MissingFiles(), notes = [] } = found;
  if (entries.length === 0 && missing.count > 0) {
    throw new ChronotopeError(
      'all-missing',
      `none of the ${missing.count} videos that ${source.path} lists was found, for example ${missing.first[0]}`,
      {
        hint: 'Name the folder that holds the videos (--videos), or keep the entries unchecked (--keep-missing).',
        details: { source: source.path, count: missing.count, first: missing.first },
      },
    );
  }
  const ids = new Set<string>();
  for (const { id } of entries) {
    if (ids.has(id)) {
      throw new ChronotopeError('repeated-id', `${source.path} names "${id}" twice`, {
        hint: 'Every video may be listed once; clips of one video need different ids.',
        details: { source: source.path, id },
      });
    }
    ids.add(id);
  }
  return { format, entries, classes, missing: { count: missing.count, first: missing.first }, notes };
}

/** What lists name but the disk does not hold, for people; `null` when all is there. `kept`: whether it is among the entries. */
export function missingNote({ missing: { count, first } }: Pick<Dataset, 'missing'>, kept = false): string | null {
  if (count === 0) return null;
  const examples = `${first.join(', ')}${count > first.length ? ', …' : ''}`;
  return `${count} listed videos are not on the disk${kept ? '' : ': left out'} (${examples})`;
}

/** A folder that holds nothing of what the format needs. */
export function nothingFound(format: DatasetFormat, source: Source, expected: string): ChronotopeError {
  return new ChronotopeError('wrong-format', `${source.path} does not look like the format "${format}"`, {
    hint: `Expected ${expected}.`,
    details: { source: source.path, format },
  });
}
