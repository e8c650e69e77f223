import { isAbsolute, join, relative } from 'node:path';
import { type ClipRange, type ManifestEntry, SPLITS, type Split } from '../manifest.js';
import type { ReadOptions } from './dataset.js';
import { Disk } from './disk.js';
import { describeFrames } from './frame-files.js';

/** What a table may say of a video, and the names its columns (or JSON fields) go by. The first is the usual one. */
export const COLUMNS = {
  path: ['path', 'video', 'file', 'filename', 'filepath', 'video_path'],
  label: ['label', 'class', 'action'],
  split: ['split', 'subset', 'part'],
  group: ['group', 'person', 'subject'],
  text: ['text', 'caption', 'sentence'],
  start: ['start', 'time_start', 'start_s'],
  end: ['end', 'time_end', 'end_s'],
  startFrame: ['start_frame'],
  endFrame: ['end_frame'],
} as const;

/** A column that tables of videos may have. */
export type Column = keyof typeof COLUMNS;

/** Values of one row; columns that the table does not have, or leaves empty, are absent. */
export type Row = Partial<Record<Column, string>>;

/** Other names that parts of data sets go by. */
const SPLIT_NAMES: Readonly<Record<string, Split>> = {
  ...Object.fromEntries(SPLITS.map((name) => [name, name])),
  training: 'train',
  val: 'validation',
  validate: 'validation',
  valid: 'validation',
  dev: 'validation',
  testing: 'test',
  extra: 'unused',
};

/** @returns `null` for a name that no part of a data set goes by */
export function splitNamed(name: string): Split | null {
  return SPLIT_NAMES[name.toLowerCase()] ?? null;
}

/** Which column each name of a header is; the caller may name columns itself. */
export function columnsOf(
  header: readonly string[],
  named: ReadOptions['columns'] = {},
): Partial<Record<Column, number>> {
  const lower = header.map((name) => name.trim().toLowerCase());
  const found: Partial<Record<Column, number>> = {};
  for (const column of Object.keys(COLUMNS) as Column[]) {
    const names = named[column] === undefined ? COLUMNS[column] : [named[column].toLowerCase()];
    const index = names.map((name) => lower.indexOf(name)).find((position) => position >= 0);
    if (index !== undefined) {
      found[column] = index;
    }
  }
  return found;
}

/** Turns rows into entries, with paths relative to the folder of the videos. */
export class RowReader {
  readonly #root: string;
  readonly #disk: Disk;

  constructor(root: string) {
    this.#root = root;
    this.#disk = new Disk(root);
  }

  /**
   * @param invalid makes the error for this row, with file and line
   * @returns the entry, and whether its file (or folder of frames) is on the disk
   */
  entry(row: Row, invalid: (problem: string) => Error): { entry: ManifestEntry; present: boolean } {
    if (row.path === undefined) {
      throw invalid('expected the path of a video, got nothing');
    }
    const name = this.#nameBelowRoot(row.path);
    const split = row.split === undefined ? 'train' : splitNamed(row.split);
    if (split === null) {
      throw invalid(`expected train, validation, test or unused as the part of the data set, got "${row.split}"`);
    }
    const clip = clipOf(row, invalid);
    const entry: ManifestEntry = {
      id: clipId(name, clip),
      path: this.#disk.path(name),
      label: row.label ?? null,
      split,
    };
    if (row.group !== undefined) {
      entry.group = row.group;
    } else if (clip !== undefined) {
      entry.group = name;
    }
    if (row.text !== undefined) entry.text = row.text;
    if (clip !== undefined) entry.clip = clip;
    const images = this.#disk.images(name);
    if (images.length > 0) entry.frames = describeFrames(images);
    return { entry, present: this.#disk.has(name) };
  }

  #nameBelowRoot(path: string): string {
    const inside = isAbsolute(path) ? relative(this.#root, path) : path;
    return join(inside).replaceAll('\\', '/');
  }
}

/** The id of a part of a video: `a.mp4#10-20` for the seconds, `a.mp4#f300-600` for the frames. */
export function clipId(name: string, clip: ClipRange | undefined): string {
  return clip === undefined ? name : `${name}#${clip.unit === 'frames' ? 'f' : ''}${clip.start}-${clip.end ?? ''}`;
}

function clipOf(row: Row, invalid: (problem: string) => Error): ClipRange | undefined {
  const inFrames = row.startFrame !== undefined || row.endFrame !== undefined;
  const inSeconds = row.start !== undefined || row.end !== undefined;
  if (!inFrames && !inSeconds) {
    return undefined;
  }
  if (inFrames && inSeconds) {
    throw invalid('expected the clip in seconds or in frames, got both');
  }
  const number = (text: string, what: string): number => {
    const value = Number(text);
    if (!Number.isFinite(value) || value < 0 || (inFrames && !Number.isInteger(value))) {
      throw invalid(`expected ${inFrames ? 'a frame number' : 'seconds'} as the ${what} of the clip, got "${text}"`);
    }
    return value;
  };
  const [first, last] = inFrames ? [row.startFrame, row.endFrame] : [row.start, row.end];
  const start = first === undefined ? 0 : number(first, 'start');
  const end = last === undefined ? null : number(last, 'end');
  if (end !== null && end <= start) {
    throw invalid(`expected a clip that ends after it starts, got ${start} to ${end}`);
  }
  return { unit: inFrames ? 'frames' : 'seconds', start, end };
}
