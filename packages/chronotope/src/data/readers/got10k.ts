import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isImage, listFolder } from '../folders.js';
import { type ManifestEntry, readTextFile, type Split, type Tracking } from '../manifest.js';
import { readBoxes } from './boxes.js';
import { type DatasetReader, MissingFiles, makeDataset, nothingFound, type Source } from './dataset.js';
import { describeFrames } from './frame-files.js';
import { listLines, malformed } from './lines.js';

const MOST_COVER = 8;

/**
 * GOT-10k: `[train|val|test/]<sequence>/` with `00000001.jpg …`, `groundtruth.txt`, `cover.label`, `meta_info.ini`, and
 * `list.txt` with the names of the sequences. The class is the object's; sequences cut from one video are a group. Of
 * a test sequence only the first box is public.
 */
export const got10k: DatasetReader = {
  format: 'got10k',
  general: false,
  recognise(source) {
    for (const { folder } of subsetsOf(source)) {
      const sequence = listFolder(folder).folders.find((name) => existsSync(join(folder, name, 'groundtruth.txt')));
      if (sequence !== undefined) return `the boxes in ${sequence}/groundtruth.txt`;
    }
    return null;
  },
  read(source) {
    const missing = new MissingFiles();
    const entries = subsetsOf(source).flatMap((subset) =>
      sequencesOf(subset.folder).flatMap((name) => {
        const folder = join(subset.folder, name);
        if (existsSync(join(folder, 'groundtruth.txt'))) {
          return [readSequence(folder, subset.prefix + name, subset.split)];
        }
        missing.add(subset.prefix + name);
        return [];
      }),
    );
    if (entries.length === 0 && missing.count === 0) {
      throw nothingFound('got10k', source, 'folders with images and a groundtruth.txt');
    }
    return makeDataset('got10k', source, { entries, missing });
  },
};

/** The folders train/, val/ and test/, or the source itself. */
function subsetsOf(source: Source): { folder: string; prefix: string; split: Split }[] {
  if (source.kind === 'file') return [];
  const subsets = [
    { name: 'train', split: 'train' as const },
    { name: 'val', split: 'validation' as const },
    { name: 'test', split: 'test' as const },
  ].filter(({ name }) => source.folders.includes(name));
  if (subsets.length > 0) {
    return subsets.map(({ name, split }) => ({ folder: join(source.path, name), prefix: `${name}/`, split }));
  }
  const named = /(train|val|test)/i.exec(basename(source.path))?.[1]?.toLowerCase();
  return [
    { folder: source.path, prefix: '', split: named === 'val' ? 'validation' : named === 'test' ? 'test' : 'train' },
  ];
}

function sequencesOf(folder: string): string[] {
  const list = join(folder, 'list.txt');
  return existsSync(list)
    ? listLines(list).map(({ text }) => text)
    : listFolder(folder).folders.filter((name) => existsSync(join(folder, name, 'groundtruth.txt')));
}

function readSequence(folder: string, id: string, split: Split): ManifestEntry {
  const images = listFolder(folder).files.filter(isImage);
  const truth = join(folder, 'groundtruth.txt');
  const boxes = readBoxes(truth);
  const secret = split === 'test' && boxes.length === 1;
  if (images.length === 0 || (boxes.length !== images.length && !secret)) {
    throw malformed(truth, null, `expected ${images.length} boxes, one for each image, got ${boxes.length}`);
  }
  const tracking: Tracking = { boxes };
  const cover = join(folder, 'cover.label');
  if (existsSync(cover)) tracking.cover = readCover(cover, images.length);
  const meta = readMeta(join(folder, 'meta_info.ini'));
  const entry: ManifestEntry = { id, path: folder, label: meta.get('object_class') ?? null, split };
  const url = meta.get('url');
  if (url !== undefined) entry.group = url;
  return { ...entry, frames: describeFrames(images), tracking };
}

function readCover(file: string, frames: number): number[] {
  const cover = listLines(file).map(({ text, number }) => {
    if (!/^[0-8]$/.test(text)) {
      throw malformed(file, number, `expected the visible part in eighths, 0 to ${MOST_COVER}, got "${text}"`);
    }
    return Number(text);
  });
  if (cover.length !== frames) {
    throw malformed(file, null, `expected ${frames} lines, one for each image, got ${cover.length}`);
  }
  return cover;
}

/** The keys of an INI file, `key: value` or `key = value`; none when there is no such file. */
function readMeta(file: string): Map<string, string> {
  if (!existsSync(file)) return new Map();
  const pairs = readTextFile(file, 'list-unreadable').matchAll(/^[ \t]*(\w+)[ \t]*[:=][ \t]*(.*?)\s*$/gm);
  return new Map([...pairs].flatMap(([, key, value]) => (value === '' ? [] : [[key!.toLowerCase(), value!]])));
}
