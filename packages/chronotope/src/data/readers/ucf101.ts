import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ChronotopeError } from '../../errors.js';
import type { Split } from '../manifest.js';
import { type DatasetReader, makeDataset, nothingFound, type Source } from './dataset.js';
import { type Line, listLines, malformed } from './lines.js';
import { ListedVideos, videoRoot } from './listed-videos.js';

/** A video as the official lists name it. */
export interface Ucf101Video {
  /** `<class>/v_<class>_gNN_cNN.avi` */
  path: string;
  label: string;
  split: Split;
  /** `<class>/gNN`: clips of one group show the same person or background. */
  group: string;
}

/** UCF101 with its official lists `classInd.txt`, `trainlistNN.txt` and `testlistNN.txt`. */
export const ucf101: DatasetReader = {
  format: 'ucf101',
  general: false,
  recognise(source) {
    const lists = listFolderOf(source);
    return lists === null ? null : `the lists in ${basename(lists)}/`;
  },
  read(source, options) {
    const lists = listFolderOf(source);
    if (lists === null) {
      throw nothingFound('ucf101', source, 'a folder with ucfTrainTestlist/classInd.txt');
    }
    const { classes, videos } = readUcf101Lists(lists, options.fold ?? 1);
    const inLists = lists === source.path ? ['..'] : [];
    const found = new ListedVideos(videoRoot(source, options, ['UCF-101', 'UCF101', 'videos', ...inLists]), options);
    for (const { path, label, split, group } of videos) {
      found.add([path], { label, split, group });
    }
    return makeDataset('ucf101', source, { entries: found.entries, classes, missing: found.missing });
  },
};

/**
 * Reads the official lists of one fold.
 *
 * @param fold 1, 2 or 3
 * @returns the classes in the order of their numbers, and the videos, training ones first
 * @throws ChronotopeError `malformed-line`, `list-unreadable`, `unknown-fold`
 */
export function readUcf101Lists(folder: string, fold: number): { classes: string[]; videos: Ucf101Video[] } {
  const classes = readClasses(join(folder, 'classInd.txt'));
  const suffix = `list${String(fold).padStart(2, '0')}.txt`;
  if (!existsSync(join(folder, `train${suffix}`))) {
    throw new ChronotopeError('unknown-fold', `${folder} has no train${suffix}`, {
      hint: 'UCF101 has the folds 1, 2 and 3.',
      details: { folder, fold },
    });
  }
  const videos = (['train', 'test'] as const).flatMap((split) => {
    const file = join(folder, `${split}${suffix}`);
    return listLines(file).map((line) => parseVideo(file, line, split, classes));
  });
  return { classes, videos };
}

function listFolderOf(source: Source): string | null {
  const candidates = [
    source.path,
    ...['ucfTrainTestlist', 'UCF101TrainTestSplits-RecognitionTask/ucfTrainTestlist'].map((name) =>
      join(source.path, name),
    ),
  ];
  return (
    candidates.find(
      (folder) => existsSync(join(folder, 'classInd.txt')) && existsSync(join(folder, 'trainlist01.txt')),
    ) ?? null
  );
}

function readClasses(file: string): string[] {
  return listLines(file).map(({ text, number }, index) => {
    const [, id, name] = /^(\d+)\s+(\S+)$/.exec(text) ?? [];
    if (name === undefined || Number(id) !== index + 1) {
      throw malformed(file, number, `expected "${index + 1} <class>", got "${text}"`);
    }
    return name;
  });
}

/** Lines of training lists end with the number of the class, those of test lists don't. */
function parseVideo(
  file: string,
  { text, number }: Line,
  split: 'train' | 'test',
  classes: readonly string[],
): Ucf101Video {
  const [, path, label, name, id] = /^(([^/\s]+)\/(\S+))(?:\s+(\d+))?$/.exec(text) ?? [];
  const form =
    split === 'train' ? '<class>/v_<class>_gNN_cNN.avi <number of the class>' : '<class>/v_<class>_gNN_cNN.avi';
  if (path === undefined || (split === 'train') !== (id !== undefined)) {
    throw malformed(file, number, `expected "${form}", got "${text}"`);
  }
  if (!classes.includes(label!)) {
    throw malformed(file, number, `expected a class of classInd.txt, got "${label}"`);
  }
  if (id !== undefined && classes[Number(id) - 1] !== label) {
    throw malformed(file, number, `expected ${classes.indexOf(label!) + 1}, the number of "${label}", got ${id}`);
  }
  const group = /_(g\d+)_c\d+/.exec(name!)?.[1];
  if (group === undefined) {
    throw malformed(file, number, `expected a name with group and clip, _gNN_cNN, got "${name}"`);
  }
  return { path, label: label!, split, group: `${label}/${group}` };
}
