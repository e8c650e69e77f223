import { join } from 'node:path';
import { type DatasetReader, makeDataset, nothingFound, type Source } from './dataset.js';
import { type Line, listLines, malformed } from './lines.js';
import { ListedVideos, videoRoot } from './listed-videos.js';

const LIST_NAME = /^(?:jester|something-something)-v1-(train|validation|test|labels)\.csv$/;

/** At which the official frames were taken from the videos. */
const FRAMES_A_SECOND = 12;

type ListName = 'train' | 'validation' | 'test' | 'labels';

/**
 * Jester, and Something-Something v1, which has the same lists: `<prefix>-labels.csv` with one class a line, `-train.csv`
 * and `-validation.csv` with `number;class`, `-test.csv` with numbers; every video is a folder of frames.
 */
export const jester: DatasetReader = {
  format: 'jester',
  general: false,
  recognise(source) {
    const { labels, train, validation } = listsOf(source);
    return labels !== undefined && (train ?? validation) !== undefined
      ? `the lists ${labels} and ${train ?? validation}`
      : null;
  },
  read(source, options) {
    const lists = listsOf(source);
    if (lists.labels === undefined) {
      throw nothingFound(
        'jester',
        source,
        'a folder with jester-v1-labels.csv and jester-v1-train.csv or -validation.csv',
      );
    }
    const classes = listLines(join(source.path, lists.labels)).map(({ text }) => text);
    const folders = ['20bn-jester-v1', '20bn-something-something-v1', 'videos', 'frames'];
    const found = new ListedVideos(videoRoot(source, options, folders), options);
    for (const split of ['train', 'validation', 'test'] as const) {
      if (lists[split] === undefined) continue;
      const file = join(source.path, lists[split]);
      for (const line of listLines(file)) {
        const { id, label } = parseLine(file, line, split === 'test', classes);
        found.add([id], { label, split, imageFps: FRAMES_A_SECOND });
      }
    }
    return makeDataset('jester', source, { ...found, classes });
  },
};

function listsOf(source: Source): Partial<Record<ListName, string>> {
  const named = source.files.flatMap((name) => {
    const list = LIST_NAME.exec(name)?.[1];
    return list === undefined ? [] : [[list, name]];
  });
  return source.kind === 'folder' ? Object.fromEntries(named) : {};
}

function parseLine(file: string, { text, number }: Line, isTest: boolean, classes: readonly string[]) {
  const [, id, label] = /^(\d+)(?:;(.+))?$/.exec(text) ?? [];
  if (id === undefined || (!isTest && label === undefined)) {
    throw malformed(file, number, `expected "${isTest ? '<number>' : '<number>;<class>'}", got "${text}"`);
  }
  if (label !== undefined && !classes.includes(label)) {
    throw malformed(file, number, `expected a class of the labels list, got "${label}"`);
  }
  return { id, label: label ?? null };
}
