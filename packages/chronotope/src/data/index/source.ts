import { existsSync, statSync } from 'node:fs';
import { dirname, extname, isAbsolute, resolve, sep } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { z } from 'zod';
import { ChronotopeError } from '../../errors.js';
import { findFiles } from '../class-folders.js';
import { type JsonLinesFormat, lineError, readJsonLines, readLines } from '../json-lines.js';
import { type ManifestEntry, manifestEntrySchema, readTextFile } from '../manifest.js';

/** The videos that a source names; whether they exist and can be used is not looked at. */
export interface VideoSource {
  /** With paths that are absolute. */
  videos: ManifestEntry[];
  /** Files of a folder that are no videos by their names, relative to it. */
  ignored: string[];
  /** Readable remarks on what looks like a mistake but stops nothing. */
  warnings: string[];
}

/**
 * Reads which videos belong to a data set.
 *
 * - a folder: `<class>/**` is labelled, `_unlabelled/**` and videos directly in the folder are not,
 *   `_test/<class>/**` is for testing;
 * - `.csv`: a header line with `path` and, if wanted, `label`, `split`, `group`;
 * - `.jsonl`: objects with the same fields, for instance a manifest;
 * - `.txt`, `.lst` or `.list`: one path a line, unlabelled.
 *
 * Paths in a file are relative to its folder.
 *
 * @throws ChronotopeError `source-missing`, `source-unknown`, `source-empty`, `folder-unreadable`, `source-unreadable`;
 *   `source-invalid` with the file and the line for a malformed line or a video that is listed twice
 */
export function videosOf(source: string): VideoSource {
  const path = resolve(source);
  if (!existsSync(path)) {
    throw new ChronotopeError('source-missing', `${source} does not exist`, {
      hint: 'Give a folder of videos, or a .csv, .jsonl or .txt file that lists them.',
      details: { source },
    });
  }
  const found = statSync(path).isDirectory() ? videosInFolder(path) : videosInList(path);
  if (found.videos.length > 0) return found;
  throw new ChronotopeError('source-empty', `there are no videos in ${source}`, {
    hint: 'Videos are known by their extension, such as .mp4, .mkv, .webm, .avi or .mov.',
    details: { source, ignored: found.ignored.length },
  });
}

function videosInFolder(root: string): VideoSource {
  const { videos, others } = findFiles(root);
  const labels = new Map<string, string>();
  const passedOver = new Map<string, number>();
  const entries = videos.flatMap((id): ManifestEntry[] => {
    const place = placeOf(id);
    // Plain concatenation: path.join would leave a chain of string pieces in memory for each of perhaps 100,000 videos.
    const path = `${root}${sep}${sep === '/' ? id : id.replaceAll('/', sep)}`;
    if (place !== null) {
      const { label, split } = place;
      // One string a class, not one a video.
      if (label !== null && !labels.has(label)) labels.set(label, label);
      return [{ id, path, label: label === null ? null : labels.get(label)!, split }];
    }
    const folder = id.split('/')[0]!;
    passedOver.set(folder, (passedOver.get(folder) ?? 0) + 1);
    return [];
  });
  const warnings = [...passedOver].map(
    ([folder, count]) =>
      `${count} video(s) in ${folder}/ were left out: a folder with a leading underscore is _unlabelled or _test/<class>.`,
  );
  return { videos: entries, ignored: others, warnings: [...warnings, ...splitFolderWarnings(entries)] };
}

/** Label and split by the folders a video is in; null where that has no meaning. */
function placeOf(id: string): Pick<ManifestEntry, 'label' | 'split'> | null {
  const [first, second] = id.split('/').slice(0, -1);
  if (first === undefined) return { label: null, split: 'train' };
  if (['_unlabelled', '_unlabeled'].includes(first)) return { label: null, split: 'train' };
  if (first === '_test') return second === undefined ? null : { label: second, split: 'test' };
  return first.startsWith('_') ? null : { label: first, split: 'train' };
}

function splitFolderWarnings(entries: readonly ManifestEntry[]): string[] {
  const classes = new Set(entries.map(({ label }) => label));
  const suspicious = ['train', 'test', 'val', 'validation'].filter((name) => classes.has(name));
  if (suspicious.length === 0) return [];
  const names = suspicious.map((name) => `"${name}"`).join(' and ');
  return [`${names} was taken for a class: put classes directly into the folder, and test videos into _test/<class>.`];
}

const listed = manifestEntrySchema.partial().extend({ path: manifestEntrySchema.shape.path });
type Listed = z.infer<typeof listed>;

const listHint = 'Wanted: path, and if known label, split (train or test) and group.';
const listedFormat: JsonLinesFormat<Listed> = {
  schema: listed,
  unreadable: 'source-unreadable',
  invalid: 'source-invalid',
  hint: listHint,
};

function videosInList(file: string): VideoSource {
  const rows = readersByExtension[extname(file).toLowerCase()];
  if (rows === undefined) {
    throw new ChronotopeError('source-unknown', `${file} is neither a folder nor a list of videos`, {
      hint: `A list ends in ${Object.keys(readersByExtension).join(', ')}.`,
      details: { file },
    });
  }
  const folder = dirname(file);
  const lineOf = new Map<string, number>();
  const videos: ManifestEntry[] = [];
  for (const { value, line } of rows(file)) {
    const {
      path,
      id = path.replaceAll('\\', '/').replace(/^(\.\/)+/, ''),
      label = null,
      split = 'train',
      group,
    } = value;
    const earlier = lineOf.get(id);
    if (earlier !== undefined) {
      throw lineError(file, line, `the video "${id}" was already listed in line ${earlier}`, listedFormat);
    }
    lineOf.set(id, line);
    videos.push({
      id,
      path: isAbsolute(path) ? path : resolve(folder, path),
      label,
      split,
      ...(group === undefined ? {} : { group }),
    });
  }
  return { videos, ignored: [], warnings: [] };
}

type Rows = Iterable<{ value: Listed; line: number }>;

const readersByExtension: Record<string, (file: string) => Rows> = {
  '.csv': csvRows,
  '.jsonl': (file) => readJsonLines(file, listedFormat),
  '.txt': pathRows,
  '.lst': pathRows,
  '.list': pathRows,
};

function* pathRows(file: string): Rows {
  for (const { text, line } of readLines(file, 'source-unreadable')) {
    if (text.trim() !== '') yield { value: { path: text.trim() }, line };
  }
}

function csvRows(file: string): Rows {
  const text = readTextFile(file, 'source-unreadable');
  const rows: { value: Listed; line: number }[] = [];
  const take = (record: Record<string, string>, { lines }: { lines: number }): null => {
    // An empty field is one that was not given.
    const filled = Object.fromEntries(Object.entries(record).filter(([, value]) => value !== ''));
    const checked = listed.safeParse(filled);
    if (!checked.success) {
      const { path, message } = checked.error.issues[0]!;
      throw lineError(file, lines, `"${path.join('.')}" ${message}`, listedFormat);
    }
    rows.push({ value: checked.data, line: lines });
    return null;
  };
  try {
    parse(text, { columns: true, skip_empty_lines: true, trim: true, onRecord: take });
  } catch (error) {
    if (error instanceof ChronotopeError) throw error;
    const line = typeof (error as { lines?: unknown }).lines === 'number' ? (error as { lines: number }).lines : 1;
    throw lineError(file, line, (error as Error).message, listedFormat);
  }
  return rows;
}
