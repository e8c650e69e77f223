import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ChronotopeError } from '../../errors.js';
import type { Split } from '../manifest.js';
import { type DatasetReader, makeDataset, nothingFound, type Source } from './dataset.js';
import { type Line, listLines, malformed } from './lines.js';
import { ListedVideos, videoRoot } from './listed-videos.js';

/** A clip as the official split files name it. */
export interface Hmdb51Video {
  /** `<class>/<clip>.avi` */
  path: string;
  label: string;
  split: Split;
  /** `<class>/<source video>`, from the name of the clip. */
  group: string;
}

const LIST_NAME = /^(.+)_test_split(\d)\.txt$/;
const PARTS: Readonly<Record<string, Split>> = { '0': 'unused', '1': 'train', '2': 'test' };

/**
 * HMDB51 with its official split files: one a class and fold, each line a clip and 1 (training), 2 (test) or 0 (in
 * neither part of this fold).
 */
export const hmdb51: DatasetReader = {
  format: 'hmdb51',
  general: false,
  recognise(source) {
    const lists = listFolderOf(source);
    return lists === null ? null : `the split files in ${basename(lists)}/`;
  },
  read(source, options) {
    const lists = listFolderOf(source);
    if (lists === null) {
      throw nothingFound('hmdb51', source, 'a folder with testTrainMulti_7030_splits/<class>_test_split1.txt');
    }
    const { classes, videos } = readHmdb51Lists(lists, options.fold ?? 1);
    const inLists = lists === source.path ? ['..'] : [];
    const found = new ListedVideos(videoRoot(source, options, ['videos', 'hmdb51_org', 'HMDB51', ...inLists]), options);
    for (const { path, label, split, group } of videos) {
      found.add([path], { label, split, group });
    }
    const unused = found.entries.filter(({ split }) => split === 'unused').length;
    return makeDataset('hmdb51', source, {
      entries: found.entries,
      classes,
      missing: found.missing,
      notes: unused === 0 ? [] : [`${unused} clips are in neither part of this fold (split "unused")`],
    });
  },
};

/**
 * Reads the official split files of one fold.
 *
 * @param fold 1, 2 or 3
 * @throws ChronotopeError `malformed-line`, `list-unreadable`, `unknown-fold`
 */
export function readHmdb51Lists(folder: string, fold: number): { classes: string[]; videos: Hmdb51Video[] } {
  const files = readdirSync(folder)
    .filter((name) => LIST_NAME.exec(name)?.[2] === String(fold))
    .sort();
  if (files.length === 0) {
    throw new ChronotopeError('unknown-fold', `${folder} has no files <class>_test_split${fold}.txt`, {
      hint: 'HMDB51 has the folds 1, 2 and 3.',
      details: { folder, fold },
    });
  }
  const classes = files.map((name) => LIST_NAME.exec(name)![1]!);
  const videos = files.flatMap((name, index) => {
    const file = join(folder, name);
    return listLines(file).map((line) => parseVideo(file, line, classes[index]!));
  });
  return { classes: [...classes].sort(), videos };
}

function listFolderOf(source: Source): string | null {
  const candidates = ['', 'testTrainMulti_7030_splits', 'test_train_splits', 'splits'].map((name) =>
    join(source.path, name),
  );
  return (
    candidates.find(
      (folder) =>
        existsSync(folder) && source.kind === 'folder' && readdirSync(folder).some((name) => LIST_NAME.test(name)),
    ) ?? null
  );
}

function parseVideo(file: string, { text, number }: Line, label: string): Hmdb51Video {
  const [, clip, part] = /^(\S.*?)\s+([012])$/.exec(text) ?? [];
  if (clip === undefined) {
    throw malformed(file, number, `expected "<clip>.avi" and 0, 1 or 2, got "${text}"`);
  }
  return { path: `${label}/${clip}`, label, split: PARTS[part!]!, group: `${label}/${sourceVideo(clip, label)}` };
}

/**
 * Clips are called `<source>_<class>_<body part>_<camera motion>_np<people>_<viewpoint>_<quality>_<number>.avi`; what
 * comes before the properties names the source video.
 */
function sourceVideo(clip: string, label: string): string {
  const stem = clip.replace(/\.[^.]*$/, '');
  const properties = /_[a-z]{1,2}_(?:cm|nm)_np\d+_[a-z]{2}_[a-z]+_\d+$/.exec(stem);
  const name = properties === null ? stem : stem.slice(0, properties.index);
  return name.endsWith(`_${label}`) ? name.slice(0, -label.length - 1) : name;
}
