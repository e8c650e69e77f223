import { join } from 'node:path';
import { z } from 'zod';
import type { Split } from '../manifest.js';
import { type DatasetReader, makeDataset, nothingFound, type Source } from './dataset.js';
import { malformed, readJsonFile } from './lines.js';
import { ListedVideos, videoRoot } from './listed-videos.js';

/** The files of the data set: the name with the prefix of the original release, or that of the later one without. */
const FILES: Readonly<Record<'labels' | 'train' | 'validation' | 'test', RegExp>> = {
  labels: /^(something-something-v2-)?labels\.json$/,
  train: /^(something-something-v2-)?train\.json$/,
  validation: /^(something-something-v2-)?validation\.json$/,
  test: /^(something-something-v2-)?test\.json$/,
};

const entrySchema = z.object({
  id: z.union([z.string().min(1), z.number()], '"id" must be the number of the video'),
  label: z.string('"label" must be a sentence').optional(),
  template: z.string('"template" must be a text').optional(),
});

/**
 * Something-Something v2: JSON lists with the number of each video, its class as a template ("Putting [something] on
 * [something]") and the sentence in which the objects are named. The test list has numbers only.
 */
export const somethingSomething: DatasetReader = {
  format: 'something-something',
  general: false,
  recognise(source) {
    const { folder, lists } = listsOf(source);
    return folder === null ? null : `the lists ${lists.labels} and ${lists.train ?? lists.validation}`;
  },
  read(source, options) {
    const { folder, lists } = listsOf(source);
    if (folder === null) {
      throw nothingFound(
        'something-something',
        source,
        'a folder with something-something-v2-labels.json and -train.json or -validation.json',
      );
    }
    const classes = readClasses(join(folder, lists.labels!));
    const found = new ListedVideos(
      videoRoot(source, options, ['20bn-something-something-v2', 'videos', 'frames']),
      options,
    );
    for (const split of ['train', 'validation', 'test'] as const) {
      if (lists[split] === undefined) continue;
      for (const { id, label, text } of readList(join(folder, lists[split]), split, new Set(classes))) {
        found.add([`${id}.webm`, id], text === undefined ? { label, split } : { label, split, text });
      }
    }
    return makeDataset('something-something', source, { ...found, classes });
  },
};

type Lists = Partial<Record<keyof typeof FILES, string>>;

function listsOf(source: Source): { folder: string | null; lists: Lists } {
  const lists: Lists = {};
  for (const [list, pattern] of Object.entries(FILES) as [keyof typeof FILES, RegExp][]) {
    lists[list] = source.files.find((name) => pattern.test(name));
  }
  const complete = lists.labels !== undefined && (lists.train !== undefined || lists.validation !== undefined);
  return { folder: source.kind === 'folder' && complete ? source.path : null, lists };
}

/** The classes in the order of their numbers: `{"Approaching something with your camera": "0", …}`. */
function readClasses(file: string): string[] {
  const parsed = z.record(z.string(), z.coerce.number().int()).safeParse(readJsonFile(file));
  if (!parsed.success) {
    throw malformed(file, null, 'expected an object with the number of each class');
  }
  const named = Object.entries(parsed.data).sort(([, a], [, b]) => a - b);
  named.forEach(([name, number], index) => {
    if (number !== index) {
      throw malformed(file, null, `expected class number ${index}, got ${number} ("${name}")`);
    }
  });
  return named.map(([name]) => name);
}

function readList(file: string, split: Split, classes: ReadonlySet<string>) {
  const list = readJsonFile(file);
  if (!Array.isArray(list)) {
    throw malformed(file, null, 'expected a list of videos');
  }
  return list.map((value, index) => {
    const parsed = entrySchema.safeParse(value);
    if (!parsed.success) {
      throw malformed(file, null, `entry ${index + 1}: ${parsed.error.issues[0]!.message}`);
    }
    const { id, label: text, template } = parsed.data;
    // The labels list has the templates without brackets.
    const label = template?.replace(/[[\]]/g, '') ?? null;
    if (split !== 'test' && label === null) {
      throw malformed(file, null, `entry ${index + 1} (video ${id}): expected a "template"`);
    }
    if (label !== null && !classes.has(label)) {
      throw malformed(file, null, `entry ${index + 1} (video ${id}): "${label}" is no class of the labels list`);
    }
    return { id: String(id), label, text };
  });
}
