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
  const entries =
    groupPattern === undefined ? dataset.entries : dataset.entries.map((entry) => grouped(entry, groupPattern));
  return { ...dataset, entries, recognisedBy };
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
function recognise(source: Source): { reader: DatasetReader; recognisedBy: string } {
  for (const general of [false, true]) {
    const candidates = READERS.filter((reader) => reader.general === general).flatMap((reader) => {
      const recognisedBy = reader.recognise(source);
      return recognisedBy === null ? [] : [{ reader, recognisedBy }];
    });
    if (candidates.length > 1) {
      const found = candidates.map(({ reader, recognisedBy }) => `${reader.format} (${recognisedBy})`);
      throw new ChronotopeError('ambiguous-format', `${source.path} may be ${found.join(' or ')}`, {
        hint: 'Name the format with --format.',
        details: { path: source.path, candidates: candidates.map(({ reader }) => reader.format) },
      });
    }
    if (candidates[0] !== undefined) return candidates[0];
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

function grouped(entry: ManifestEntry, pattern: RegExp): ManifestEntry {
  const group = pattern.exec(entry.id)?.[1];
  return group === undefined ? entry : { ...entry, group };
}
