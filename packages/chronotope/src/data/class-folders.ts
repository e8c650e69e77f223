import { join } from 'node:path';
import { ChronotopeError } from '../errors.js';
import { CAPTIONS_FILE, withCaptions } from './captions.js';
import { isVideo, type Listing, listFolder, walkFiles } from './folders.js';
import type { ManifestEntry, Split } from './manifest.js';

/** A data set read from a folder, and what was passed over on the way. */
export interface ClassFolders {
  /** Training videos class by class, then the unlabelled ones, then the test videos; sorted by id within each. */
  entries: ManifestEntry[];
  /** The names of the classes, sorted; the index in this list is the class's number. */
  classes: string[];
  /** Files that are not videos, as paths relative to the folder. */
  ignored: string[];
  /** Readable remarks on what looks like a mistake but stops nothing. */
  warnings: string[];
}

const UNLABELLED_FOLDERS = ['_unlabelled', '_unlabeled'];
const TEST_FOLDER = '_test';

/**
 * Reads a data set laid out as folders:
 *
 * ```
 * <root>/<class>/**            labelled training videos, one folder a class
 * <root>/_unlabelled/**        training videos without a label (or _unlabeled)
 * <root>/_test/<class>/**      test videos
 * <root>/captions.jsonl        sentences about videos, if there are any: {"path": <id>, "text": …} a line
 * ```
 *
 * Folders may be nested below a class; hidden files and folders are passed over; symbolic links are followed, loops
 * too. The result does not depend on the order in which the file system lists its files.
 *
 * @param options.withoutClasses whether unlabelled videos alone will do. Default false
 * @throws ChronotopeError `folder-missing`, `folder-empty`, `no-videos`, `no-classes`, `one-class`, `class-without-videos`,
 *   `unknown-test-class`, `captions-unreadable`, `captions-invalid`; the folder or the classes are named in the message and in `details`.
 */
export function readClassFolders(root: string, { withoutClasses = false } = {}): ClassFolders {
  const top = listFolder(root, '');
  const classFolders = top.folders.filter((name) => !name.startsWith('_'));
  const unlabelledFolders = top.folders.filter((name) => UNLABELLED_FOLDERS.includes(name));

  const ignored: string[] = [];
  const warnings = strayFileWarnings(root, top);
  const collect = (folder: string, label: string | null, split: Split): ManifestEntry[] => {
    const found = walkFiles(root, folder);
    ignored.push(...found.filter((name) => !isVideo(name)));
    return found.filter(isVideo).map((id) => ({ id, path: join(root, ...id.split('/')), label, split }));
  };

  const training = new Map(classFolders.map((name) => [name, collect(name, name, 'train')]));
  const unlabelled = unlabelledFolders.flatMap((name) => collect(name, null, 'train'));
  const test = top.folders.includes(TEST_FOLDER)
    ? readTestFolder(root, collect, ignored, warnings)
    : new Map<string, ManifestEntry[]>();

  ignored.push(...top.files.filter((name) => !isVideo(name) && name !== CAPTIONS_FILE));
  const trainingEntries = [...training.values()].flat();
  const testEntries = [...test.values()].flat();
  checkSomethingFound(root, top, trainingEntries.length + unlabelled.length + testEntries.length);
  if (!withoutClasses || classFolders.length > 0) {
    checkClasses(root, training);
    checkTestClasses(root, [...test.keys()], classFolders);
  }
  const entries = [...trainingEntries, ...unlabelled, ...testEntries];
  return {
    entries: top.files.includes(CAPTIONS_FILE) ? withCaptions(entries, join(root, CAPTIONS_FILE)) : entries,
    classes: classFolders.length > 0 ? classFolders : [...test.keys()].sort(),
    ignored: ignored.sort(),
    warnings,
  };
}

type Collect = (folder: string, label: string, split: Split) => ManifestEntry[];

function readTestFolder(
  root: string,
  collect: Collect,
  ignored: string[],
  warnings: string[],
): Map<string, ManifestEntry[]> {
  const { folders, files } = listFolder(root, TEST_FOLDER);
  const strayVideos = files.filter(isVideo);
  if (strayVideos.length > 0) {
    warnings.push(
      `${TEST_FOLDER}: ${count(strayVideos.length, 'video')} directly in the folder, without a class: left out`,
    );
  }
  ignored.push(...files.filter((name) => !isVideo(name)).map((name) => `${TEST_FOLDER}/${name}`));
  return new Map(folders.map((name) => [name, collect(`${TEST_FOLDER}/${name}`, name, 'test')]));
}

function strayFileWarnings(root: string, top: Listing): string[] {
  const videos = top.files.filter(isVideo);
  const reserved = top.folders.filter(
    (name) => name.startsWith('_') && name !== TEST_FOLDER && !UNLABELLED_FOLDERS.includes(name),
  );
  return [
    ...(videos.length > 0
      ? [`${count(videos.length, 'video')} directly in ${root}, outside any class folder (${some(videos)}): left out`]
      : []),
    ...reserved.map(
      (name) =>
        `the folder "${name}" was left out: names with a leading underscore are reserved, and this one is unknown`,
    ),
  ];
}

function checkSomethingFound(root: string, top: Listing, videos: number): void {
  if (videos > 0) {
    return;
  }
  const hint = `Put the videos into one folder a class: ${join(root, '<class>', '<video>.mp4')}.`;
  if (top.folders.length === 0 && top.files.length === 0) {
    throw new ChronotopeError('folder-empty', `the data folder ${root} is empty`, { hint, details: { folder: root } });
  }
  const stray = top.files.filter(isVideo).length;
  const detail = stray > 0 ? ` (${count(stray, 'video')} directly in it, outside any class folder)` : '';
  throw new ChronotopeError('no-videos', `no videos in class folders below ${root}${detail}`, {
    hint,
    details: { folder: root, topLevelVideos: stray },
  });
}

function checkClasses(root: string, training: ReadonlyMap<string, ManifestEntry[]>): void {
  const classes = [...training.keys()];
  if (classes.length === 0) {
    throw new ChronotopeError('no-classes', `no class folders in ${root}`, {
      hint: 'A class is a folder with at least one labelled video; make at least two of them.',
      details: { folder: root },
    });
  }
  const empty = classes.filter((name) => training.get(name)!.length === 0);
  if (empty.length > 0) {
    throw new ChronotopeError('class-without-videos', `class ${quoted(empty)} has no videos in ${root}`, {
      hint: 'Add videos to the folder, or remove it. Unlabelled videos belong into the folder _unlabelled.',
      details: { folder: root, classes: empty },
    });
  }
  if (classes.length === 1) {
    throw new ChronotopeError('one-class', `only one class, ${quoted(classes)}, in ${root}`, {
      hint: 'A recogniser needs at least two classes: add a second folder with videos.',
      details: { folder: root, classes },
    });
  }
}

function checkTestClasses(root: string, testClasses: readonly string[], classes: readonly string[]): void {
  const unknown = testClasses.filter((name) => !classes.includes(name));
  if (unknown.length > 0) {
    throw new ChronotopeError(
      'unknown-test-class',
      `${join(root, TEST_FOLDER)} has ${quoted(unknown)}, which is no class`,
      {
        hint: `The classes are ${quoted(classes)}: rename the folder, or add training videos of that class.`,
        details: { folder: root, unknown, classes: [...classes] },
      },
    );
  }
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

function some(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')}, …`;
}
