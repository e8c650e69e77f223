import { basename, join, posix } from 'node:path';
import { listFolder } from '../folders.js';
import type { ClipRange, Split } from '../manifest.js';
import { type CsvRecord, csvHeader, readCsv } from './csv.js';
import { type DatasetReader, makeDataset, nothingFound, type Source } from './dataset.js';
import { Disk } from './disk.js';
import { malformed } from './lines.js';
import { ListedVideos, videoRoot } from './listed-videos.js';
import { clipId, splitNamed } from './table-row.js';

/** One line of a Kinetics list: ten seconds of a YouTube video. */
export interface KineticsClip {
  youtubeId: string;
  /** Seconds in the YouTube video. */
  start: number;
  end: number;
  /** `null` where the labels of the test part are kept secret. */
  label: string | null;
  split: Split;
}

/** Folders that copies of the data set have for the parts. */
const SPLIT_FOLDERS: Readonly<Record<Split, readonly string[]>> = {
  train: ['train', 'train_256', 'videos_train'],
  validation: ['val', 'validate', 'validation', 'val_256', 'videos_val'],
  test: ['test', 'test_256', 'videos_test'],
  unused: [],
};

/** Kinetics-400, 600 and 700: CSV lists with `label, youtube_id, time_start, time_end, split`. */
export const kinetics: DatasetReader = {
  format: 'kinetics',
  general: false,
  recognise(source) {
    const [list] = listsOf(source);
    return list === undefined ? null : `the column youtube_id in ${basename(list)}`;
  },
  read(source, options) {
    const lists = listsOf(source);
    if (lists.length === 0) {
      throw nothingFound(
        'kinetics',
        source,
        'CSV lists with the columns label, youtube_id, time_start, time_end, split',
      );
    }
    const root = videoRoot(source, options, ['videos', 'clips']);
    const found = new ListedVideos(root, options);
    const folders = new ClipFolders(root);
    for (const clip of lists.flatMap(readKineticsList)) {
      const { youtubeId, label, split, start, end } = clip;
      const facts = { label, split, group: youtubeId };
      const names = [trimmedName(clip), youtubeId].flatMap((name) =>
        folders.of(clip).map((folder) => posix.join(folder, `${name}.mp4`)),
      );
      const entry = found.add(names, facts);
      if (entry !== null && basename(entry.id).replace(/\.[^.]*$/, '') === youtubeId) {
        // The whole YouTube video is there, of which the list means ten seconds.
        const range: ClipRange = { unit: 'seconds', start, end };
        entry.clip = range;
        entry.id = clipId(entry.id, range);
      }
    }
    return makeDataset('kinetics', source, found);
  },
};

/** Reads one list. @throws ChronotopeError `malformed-line`, `list-unreadable` */
export function readKineticsList(file: string): KineticsClip[] {
  const [header, ...records] = readCsv(file);
  const column = (name: string): number => header?.fields.indexOf(name) ?? -1;
  const required = ['youtube_id', 'time_start', 'time_end'];
  for (const name of required) {
    if (column(name) < 0) {
      throw malformed(
        file,
        header?.line ?? null,
        `expected a column "${name}", got ${header?.fields.join(', ') ?? 'nothing'}`,
      );
    }
  }
  const part = splitNamed(/train|val|test/i.exec(basename(file))?.[0] ?? '') ?? 'train';
  return records.map(({ fields, line }: CsvRecord) => {
    if (fields.length !== header!.fields.length) {
      throw malformed(
        file,
        line,
        `expected ${header!.fields.length} fields, got ${fields.length}: ${fields.join(',')}`,
      );
    }
    const value = (name: string): string => fields[column(name)] ?? '';
    const [start, end] = [Number(value('time_start')), Number(value('time_end'))];
    if (!/^[\w-]{11}$/.test(value('youtube_id'))) {
      throw malformed(file, line, `expected a YouTube id of 11 characters, got "${value('youtube_id')}"`);
    }
    if (value('time_start') === '' || !(start >= 0) || !(end > start)) {
      throw malformed(
        file,
        line,
        `expected seconds from time_start to time_end, got "${value('time_start')}" to "${value('time_end')}"`,
      );
    }
    const split = value('split') === '' ? part : splitNamed(value('split'));
    if (split === null) {
      throw malformed(file, line, `expected train, validate or test as split, got "${value('split')}"`);
    }
    return { youtubeId: value('youtube_id'), start, end, label: value('label') || null, split };
  });
}

function listsOf(source: Source): string[] {
  const candidates =
    source.kind === 'file'
      ? [source.path]
      : ['', 'annotations']
          .filter((folder) => folder === '' || source.folders.includes(folder))
          .flatMap((folder) => listFolder(source.path, folder).files.map((name) => join(source.path, folder, name)));
  return candidates.filter((file) => file.endsWith('.csv') && csvHeader(file).includes('youtube_id'));
}

/**
 * The folders below the root in which copies of the data set keep clips of a part and class: by part, by class (also
 * with `_` for blanks), both, or neither; only those that are there.
 */
class ClipFolders {
  readonly #disk: Disk;
  readonly #known = new Map<string, string[]>();

  constructor(root: string) {
    this.#disk = new Disk(root);
  }

  of({ label, split }: KineticsClip): string[] {
    const key = `${split}/${label}`;
    const known = this.#known.get(key) ?? this.#existing(split, label);
    this.#known.set(key, known);
    return known;
  }

  #existing(split: Split, label: string | null): string[] {
    const classFolders = label === null ? [''] : [...new Set([label, label.replaceAll(' ', '_'), ''])];
    return [...SPLIT_FOLDERS[split], '']
      .flatMap((part) => classFolders.map((folder) => posix.join(part, folder)))
      .filter((folder) => folder === '.' || this.#disk.has(folder));
  }
}

/** `<id>_<start>_<end>`, seconds with six digits, as the official downloader names its clips. */
function trimmedName({ youtubeId, start, end }: KineticsClip): string {
  const digits = (seconds: number): string => String(Math.round(seconds)).padStart(6, '0');
  return `${youtubeId}_${digits(start)}_${digits(end)}`;
}
