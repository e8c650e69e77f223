import { statSync } from 'node:fs';
import { ChronotopeError } from '../../errors.js';
import { listFolder } from '../folders.js';
import type { ManifestEntry } from '../manifest.js';
import { classFolders } from './class-folder-dataset.js';
import { csv } from './csv.js';
import { cvat } from './cvat.js';
import type { Dataset, DatasetFormat, DatasetReader, ReadOptions, Source } from './dataset.js';
import { flatVideos } from './flat-videos.js';
import { frameFolders } from './frame-folders.js';
import { got10k } from './got10k.js';
import { hmdb51 } from './hmdb51.js';
import { imageFolders } from './image-folders.js';
import { jester } from './jester.js';
import { jsonl, manifest } from './jsonl.js';
import { kinetics } from './kinetics.js';
import { labelStudio } from './label-studio.js';
import { otb } from './otb.js';
import { r2v2 } from './r2v2.js';
import { somethingSomething } from './something-something.js';
import { ucf101 } from './ucf101.js';
import { webdataset } from './webdataset.js';

const READERS: readonly DatasetReader[] = [
  manifest,
  ucf101,
  hmdb51,
  kinetics,
  somethingSomething,
  jester,
  r2v2,
  got10k,
  otb,
  webdataset,
  labelStudio,
  cvat,
  csv,
  jsonl,
  classFolders,
  flatVideos,
  frameFolders,
  imageFolders,
];

/** A data set, and how its format became known. */
export interface ReadDataset extends Dataset {
  /** By what the format was recognised, one phrase; `null` when the caller named it. */
  recognisedBy: string | null;
}

/** Settings of {@link readDataset}. */
export interface ReadDatasetOptions extends ReadOptions {
  /** The layout; `auto` recognises it by its files. Default `auto`. */
  format?: DatasetFormat | 'auto';
}

/**
 * Reads a data set in any of the layouts of docs/datasets.md into manifest entries. Opens lists, never videos.
 *
 * @param path a folder or a list file
 * @throws ChronotopeError `source-missing`; `folder-empty`; `unknown-format` and `ambiguous-format` when the layout cannot be told;
 *   `wrong-format` when the source has nothing of the format named; `malformed-line` with `details.file` and
 *   `details.line`; `all-missing` when none of the videos listed is on the disk
 */
export async function readDataset(path: string, options: ReadDatasetOptions = {}): Promise<ReadDataset> {
  const { format = 'auto', groupPattern } = options;
  const source = openSource(path);
  const { reader, recognisedBy } =
    format === 'auto'
      ? recognise(source)
      : { reader: READERS.find((one) => one.format === format)!, recognisedBy: null };
  const dataset = await reader.read(source, options);
  return { ...dataset, entries: withGroups(dataset.entries, groupPattern), recognisedBy };
}

/**
 * Whether the places of the videos in a folder are all that says what they are: class folders or videos without classes, also
 * beside a table or images, or nothing that is known. Not so where published lists, frames, archives and the like do.
 *
 * @throws ChronotopeError `source-missing`, `folder-unreadable`
 */
export function isToldByPlace(path: string): boolean {
  const source = openSource(path);
  if (source.kind === 'file' || candidates(source, false).length > 0) return false;
  const general = candidates(source, true).map(({ reader }) => reader);
  return general.length === 0 || general.includes(classFolders) || general.includes(flatVideos);
}

/** Entries with the groups that their ids tell; without a pattern as they are. */
export function withGroups(entries: ManifestEntry[], pattern: RegExp | undefined): ManifestEntry[] {
  return pattern === undefined ? entries : entries.map((entry) => grouped(entry, pattern));
}

function openSource(path: string): Source {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    throw new ChronotopeError('source-missing', `${path} does not exist`, {
      hint: 'Give a folder of videos or a list of them.',
      details: { path },
    });
  }
  return stats.isDirectory()
    ? { path, kind: 'folder', ...listFolder(path) }
    : { path, kind: 'file', folders: [], files: [] };
}

/** Layouts of published data sets first; only when it is none of them, the general ones. */
function recognise(source: Source): Candidate {
  for (const general of [false, true]) {
    const found = candidates(source, general);
    if (found.length > 1) {
      const formats = found.map(({ reader, recognisedBy }) => `${reader.format} (${recognisedBy})`);
      throw new ChronotopeError('ambiguous-format', `${source.path} may be ${formats.join(' or ')}`, {
        hint: 'Name the format with --format; chronotope manifest makes a list of it, which every command takes.',
        details: { path: source.path, candidates: found.map(({ reader }) => reader.format) },
      });
    }
    if (found[0] !== undefined) return found[0];
  }
  if (source.kind === 'folder' && source.folders.length + source.files.length === 0) {
    throw new ChronotopeError('folder-empty', `the folder ${source.path} is empty`, {
      hint: 'Put videos into it, one folder a class or all together; docs/datasets.md shows every layout.',
      details: { path: source.path },
    });
  }
  throw new ChronotopeError('unknown-format', `${source.path} is in no format that is known`, {
    hint: 'docs/datasets.md shows every layout; the simplest is one folder of videos a class.',
    details: { path: source.path },
  });
}

interface Candidate {
  reader: DatasetReader;
  recognisedBy: string;
}

/** The layouts that a source may have: of the general ones, or of those that are not. */
function candidates(source: Source, general: boolean): Candidate[] {
  return READERS.filter((reader) => reader.general === general).flatMap((reader) => {
    const recognisedBy = reader.recognise(source);
    return recognisedBy === null ? [] : [{ reader, recognisedBy }];
  });
}

function grouped(entry: ManifestEntry, pattern: RegExp): ManifestEntry {
  const group = pattern.exec(entry.id)?.[1];
  return group === undefined ? entry : { ...entry, group };
}
