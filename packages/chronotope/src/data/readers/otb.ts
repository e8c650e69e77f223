import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isImage, listFolder } from '../folders.js';
import type { Box, ManifestEntry, Tracking } from '../manifest.js';
import { readBoxes } from './boxes.js';
import { type DatasetReader, makeDataset, nothingFound, type Source } from './dataset.js';
import { describeFrames, frameNumber } from './frame-files.js';
import { listLines, malformed } from './lines.js';

/** `groundtruth_rect.txt`; sequences with two objects have `groundtruth_rect.1.txt` and `groundtruth_rect.2.txt`. */
const TRUTH_NAME = /^groundtruth_rect(?:\.?(\d+))?\.txt$/;

/** Sequences with more images than boxes, and the frames that the boxes are for (numbers of the images). */
const ANNOTATED_FRAMES: Readonly<Record<string, readonly [first: number, last: number]>> = {
  david: [300, 770],
  diving: [1, 215],
  football1: [1, 74],
  freeman3: [1, 460],
  freeman4: [1, 283],
};

/**
 * OTB (Wu, Lim, Yang: "Object Tracking Benchmark", 2013 and 2015): `<sequence>/img/0001.jpg …` and
 * `groundtruth_rect.txt`, attributes in `attrs.txt`. One entry an object; all belong to the test part.
 */
export const otb: DatasetReader = {
  format: 'otb',
  general: false,
  recognise(source) {
    const [sequence] = sequencesOf(source);
    return sequence === undefined ? null : `${sequence.truths[0]} and the folder img/ in ${sequence.name}`;
  },
  read(source) {
    const sequences = sequencesOf(source);
    if (sequences.length === 0) {
      throw nothingFound('otb', source, 'folders with img/0001.jpg … and groundtruth_rect.txt');
    }
    const notes: string[] = [];
    const entries = sequences.flatMap((sequence) => readSequence(sequence, notes));
    return makeDataset('otb', source, { entries, notes });
  },
};

interface Sequence {
  name: string;
  folder: string;
  /** Names of the files with boxes. */
  truths: string[];
}

function sequencesOf(source: Source): Sequence[] {
  if (source.kind === 'file') return [];
  const itself = sequenceAt(source.path, source.path);
  if (itself !== null) return [{ ...itself, name: source.path.replace(/[/\\]+$/, '').replace(/^.*[/\\]/, '') }];
  return source.folders.flatMap((name) => {
    const folder = join(source.path, name);
    // The archives hold a folder of the sequence's name; unpacked into another one they lie one deeper.
    const sequence = sequenceAt(name, folder) ?? sequenceAt(name, join(folder, name));
    return sequence === null ? [] : [sequence];
  });
}

function sequenceAt(name: string, folder: string): Sequence | null {
  if (!existsSync(join(folder, 'img'))) return null;
  const truths = listFolder(folder).files.filter((file) => TRUTH_NAME.test(file));
  return truths.length === 0 ? null : { name, folder, truths };
}

function readSequence({ name, folder, truths }: Sequence, notes: string[]): ManifestEntry[] {
  const images = listFolder(folder, 'img').files.filter(isImage);
  const attributes = readAttributes(join(folder, 'attrs.txt'));
  return truths.flatMap((truth) => {
    const file = join(folder, truth);
    const boxes = readBoxes(file);
    if (boxes.length === 0) {
      // Human4 has such a file for its first object.
      notes.push(`${name}/${truth} is empty: left out`);
      return [];
    }
    const tracking: Tracking = attributes === null ? { boxes } : { boxes, attributes };
    const object = TRUTH_NAME.exec(truth)?.[1];
    return [
      {
        id: object === undefined ? name : `${name}-${object}`,
        path: folder,
        label: null,
        split: 'test' as const,
        group: name,
        frames: describeFrames(annotatedImages(name, images, boxes, file), 'img/'),
        tracking,
      },
    ];
  });
}

function annotatedImages(name: string, images: readonly string[], boxes: readonly Box[], file: string): string[] {
  const range = ANNOTATED_FRAMES[name.toLowerCase()];
  const annotated =
    range === undefined || images.length === boxes.length
      ? [...images]
      : images.filter((image) => {
          const number = frameNumber(image) ?? 0;
          return number >= range[0] && number <= range[1];
        });
  if (annotated.length !== boxes.length) {
    throw malformed(file, null, `expected ${annotated.length} boxes, one for each image, got ${boxes.length}`);
  }
  return annotated;
}

function readAttributes(file: string): string[] | null {
  if (!existsSync(file)) return null;
  return listLines(file).flatMap(({ text }) => text.split(/[\s,]+/).filter((attribute) => attribute !== ''));
}
