import { existsSync, statSync } from 'node:fs';
import { dirname, extname, resolve, sep } from 'node:path';
import { ChronotopeError } from '../../errors.js';
import { isVideo, walkFiles } from '../folders.js';
import { lineError, readLines } from '../json-lines.js';
import type { ManifestEntry } from '../manifest.js';
import type { DatasetFormat } from '../readers/dataset.js';
import { isToldByPlace, type ReadDatasetOptions, readDataset, withGroups } from '../readers/read-dataset.js';

/** The videos that a source names, also images and archives; whether they exist and can be used is not looked at. */
export interface VideoSource {
  /** What the source was read as. */
  layout: SourceLayout;
  /** With paths that are absolute. */
  videos: ManifestEntry[];
  /** Files of a folder that are no videos by their names, relative to it. */
  ignored: string[];
  /** Readable remarks on what looks like a mistake but stops nothing. */
  warnings: string[];
}

/** How the videos of a source were found. */
export interface SourceLayout {
  /** `paths` is a list of nothing else. */
  format: DatasetFormat | 'paths';
  /** By what the format was recognised, one phrase; `null` for class folders and where the caller named it. */
  recognisedBy: string | null;
}

/** How a source is read. */
export type SourceReading = Omit<ReadDatasetOptions, 'missing'>;

/**
 * Reads which videos belong to a data set.
 *
 * - a folder with the lists of a published data set, of images, of tar archives and the like, as {@link readDataset} reads it;
 * - any other folder: `<class>/**` is labelled, `_unlabelled/**` and videos directly in the folder are not,
 *   `_test/<class>/**` is for testing;
 * - `.txt`, `.lst` or `.list`: one path a line, relative to the list's folder, unlabelled;
 * - any other list in a format that {@link readDataset} reads, such as a CSV file or a manifest.
 *
 * @param reading the layout, if it is not to be recognised, and what its reader can be told
 * @throws ChronotopeError `source-missing`, `source-empty`, `folder-unreadable`, `source-unreadable`,
 *   `source-invalid` with the file and the line; for other layouts and lists those of {@link readDataset}
 */
export async function videosOf(source: string, reading: SourceReading = {}): Promise<VideoSource> {
  const path = resolve(source);
  if (!existsSync(path)) {
    throw new ChronotopeError('source-missing', `${source} does not exist`, {
      hint: 'Give a folder of videos, frames or archives, or a .csv, .jsonl or .txt file that lists them.',
      details: { source },
    });
  }
  const found = await videosIn(path, reading);
  if (found.videos.length > 0) return { ...found, videos: withGroups(found.videos, reading.groupPattern) };
  throw new ChronotopeError('source-empty', `there are no videos in ${source}`, {
    hint: 'Videos are known by their extension, such as .mp4, .mkv, .webm, .avi or .mov.',
    details: { source, ignored: found.ignored.length },
  });
}

function videosIn(path: string, reading: SourceReading): VideoSource | Promise<VideoSource> {
  const { format = 'auto', videos } = reading;
  if (statSync(path).isDirectory()) {
    const byPlace = format === 'class-folders' || (format === 'auto' && isToldByPlace(path));
    return byPlace ? videosInFolder(path) : videosOfDataset(path, reading);
  }
  const isPathList = format === 'auto' && PATH_LISTS.has(extname(path).toLowerCase());
  return isPathList ? videosInPathList(path, videos ?? dirname(path)) : videosOfDataset(path, reading);
}

function videosInFolder(root: string): VideoSource {
  const files = walkFiles(root, '');
  const videos = files.filter(isVideo);
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
  return {
    layout: { format: 'class-folders', recognisedBy: null },
    videos: entries,
    ignored: files.filter((file) => !isVideo(file)),
    warnings: [...warnings, ...splitFolderWarnings(entries)],
  };
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

const PATH_LISTS: ReadonlySet<string> = new Set(['.txt', '.lst', '.list']);

function videosInPathList(file: string, folder: string): VideoSource {
  const videos = new Map<string, ManifestEntry>();
  for (const { text, line } of readLines(file, 'source-unreadable')) {
    const path = text.trim();
    if (path === '') continue;
    if (videos.has(path)) {
      throw lineError(file, line, `"${path}" is listed twice`, {
        invalid: 'source-invalid',
        hint: 'List every video once.',
      });
    }
    videos.set(path, { id: path, path: resolve(folder, path), label: null, split: 'train' });
  }
  return {
    layout: { format: 'paths', recognisedBy: 'the extension of a list' },
    videos: [...videos.values()],
    ignored: [],
    warnings: [],
  };
}

/** A data set in any format that the toolkit reads. A listed video that is not there is looked for and quarantined. */
async function videosOfDataset(path: string, reading: SourceReading): Promise<VideoSource> {
  const { format, recognisedBy, entries, notes } = await readDataset(path, { ...reading, missing: 'keep' });
  const videos = entries.map((entry) => ({ ...entry, path: resolve(entry.path) }));
  return { layout: { format, recognisedBy }, videos, ignored: [], warnings: notes };
}
