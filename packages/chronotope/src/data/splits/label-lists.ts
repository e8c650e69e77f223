import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { ChronotopeError } from '../../errors.js';
import { isVideo } from '../folders.js';
import { groupBy } from '../group-by.js';
import type { ManifestEntry, Split } from '../manifest.js';
import { listLines, malformed } from '../readers/lines.js';
import { type DatasetSplit, type SplitStep, splitOf } from './dataset-split.js';

/** One line of a label list. */
export interface ListedLabel {
  /** As the list has it: `Class/clip`, `Class/clip.mp4`, or the number of a video. */
  name: string;
  /** Number of frames, where the list states it. */
  frames: number | null;
  /** Number of the class, from 0; `null` in lists of unlabelled videos. */
  classNumber: number | null;
  line: number;
}

/** The lists of a published split. Names of files, `.gz` or not. */
export interface LabelLists {
  /** Training videos with the labels to use. */
  labelled: string;
  /** Training videos without labels. Default: all other training videos. */
  unlabelled?: string;
  validation?: string;
  test?: string;
  /** Names of the classes, one a line in the order of their numbers, for lists that do not name them. */
  classes?: string;
}

/**
 * Reads a list of the kind that MMAction and most papers on semi-supervised video recognition use: lines of
 * `name`, `name class-number` or `name frames class-number`, all lines of a file alike.
 *
 * @throws ChronotopeError `malformed-line`, `list-unreadable`
 */
export function readLabelList(file: string): ListedLabel[] {
  const lines = listLines(file).map(({ text, number }) => {
    const [, name, ...numbers] = /^(\S.*?)(?:\s+(\d+))??(?:\s+(-?\d+))?$/.exec(text) ?? [];
    const columns = numbers.filter((value) => value !== undefined).length;
    return { name: name!, numbers, columns, line: number, text };
  });
  const columns = Math.max(0, ...lines.map((line) => line.columns));
  return lines.map((line) => {
    if (line.columns !== columns) {
      const form = ['"name"', '"name class"', '"name frames class"'][columns];
      throw malformed(file, line.line, `expected ${form} as in the other lines, got "${line.text}"`);
    }
    const [frames, classNumber] = line.numbers.map((value) => (value === undefined ? null : Number(value)));
    return {
      name: line.name,
      frames: frames ?? null,
      classNumber: classNumber === undefined || classNumber === null || classNumber < 0 ? null : classNumber,
      line: line.line,
    };
  });
}

/**
 * Makes a split of a data set from the lists of a paper.
 *
 * Names are matched by their last two parts without extension, blanks and underscores alike, because lists hold their
 * authors' paths; names of one part by that part. The class is that of the data set; one without labels takes it from
 * the list.
 * Training videos that no list names become unlabelled, or are set aside if there is a list of unlabelled videos.
 *
 * @returns the split, the listed videos that the data set does not have, and remarks on doubtful lines
 * @throws ChronotopeError `malformed-line` for a line that contradicts the data set or the names of the classes; `list-overlap` for
 *   a video in two lists; `all-missing` when the data set has none of the videos
 */
export function splitFromLists(
  entries: readonly ManifestEntry[],
  lists: LabelLists,
  name: string,
): { split: DatasetSplit; missing: { count: number; first: string[] }; notes: string[] } {
  const { labelled, unlabelled, validation, test, classes } = lists;
  const classNames = classes === undefined ? null : listLines(classes).map(({ text }) => text);
  const index = new NameIndex(entries);
  const given = new Map<string, { part: Split; label: string | null; file: string }>();
  const missing: string[] = [];
  const notes: string[] = [];
  const take = (file: string | undefined, part: Split, keepLabel: boolean): void => {
    if (file === undefined) return;
    const numbers = new ClassNumbers(file, classNames);
    for (const listed of readLabelList(file)) {
      const entry = index.find(listed.name);
      if (entry === undefined) {
        missing.push(listed.name);
        continue;
      }
      const earlier = given.get(entry.id);
      if (earlier !== undefined) throw overlap(entry.id, earlier.file, file, listed.line);
      given.set(entry.id, { part, label: keepLabel ? numbers.label(listed, entry) : null, file });
    }
    notes.push(...numbers.notes());
  };
  take(labelled, 'train', true);
  take(unlabelled, 'train', false);
  take(validation, 'validation', true);
  take(test, 'test', true);
  if (given.size === 0) {
    throw new ChronotopeError('all-missing', `none of the ${missing.length} videos of ${labelled} is in the data set`, {
      hint: `The first is ${missing[0] ?? '(the list is empty)'}; check that the list belongs to this data set.`,
      details: { file: labelled, first: missing.slice(0, 5) },
    });
  }
  const rest: Split = unlabelled === undefined ? 'train' : 'unused';
  const result = entries.map((entry) => {
    const listed = given.get(entry.id);
    if (listed !== undefined) return { ...entry, split: listed.part, label: listed.label };
    return entry.split === 'train' ? { ...entry, split: rest, label: null } : entry;
  });
  const split = splitOf(result, { name, steps: [listStep(lists)], list: entries });
  return { split, missing: { count: missing.length, first: missing.slice(0, 5) }, notes };
}

/** Finds the entry that a list means. */
class NameIndex {
  readonly #byTwoParts = new Map<string, ManifestEntry>();
  /** `null` for names that several entries have. */
  readonly #byLastPart = new Map<string, ManifestEntry | null>();

  constructor(entries: readonly ManifestEntry[]) {
    for (const entry of entries) {
      const parts = partsOf(entry.id);
      this.#byTwoParts.set(parts.join('/'), entry);
      const last = parts.at(-1)!;
      this.#byLastPart.set(last, this.#byLastPart.has(last) ? null : entry);
    }
  }

  find(name: string): ManifestEntry | undefined {
    const parts = partsOf(name);
    return this.#byTwoParts.get(parts.join('/')) ?? this.#byLastPart.get(parts.at(-1)!) ?? undefined;
  }
}

function partsOf(name: string): string[] {
  const stem = isVideo(name) ? name.slice(0, -extname(name).length) : name;
  return stem.split('/').slice(-2).map(plain);
}

const plain = (name: string): string => name.replaceAll(' ', '_');

/**
 * Finds the class of each line, and lines whose class number is not the one that most lines of that class have: some
 * published lists have such lines.
 */
class ClassNumbers {
  readonly #file: string;
  readonly #names: readonly string[] | null;
  readonly #numbered: { label: string; number: number; line: number }[] = [];

  constructor(file: string, names: readonly string[] | null) {
    this.#file = file;
    this.#names = names;
  }

  label({ name, classNumber, line }: ListedLabel, entry: ManifestEntry): string {
    const named = classNumber === null ? undefined : this.#names?.[classNumber];
    if (classNumber !== null && this.#names !== null && named === undefined) {
      throw malformed(
        this.#file,
        line,
        `expected the number of a class below ${this.#names.length}, got ${classNumber}`,
      );
    }
    const label = entry.label ?? named ?? (name.includes('/') ? name.split('/').at(-2)! : null);
    if (label === null) {
      throw malformed(this.#file, line, `expected a class for "${name}": name the file with the names of the classes`);
    }
    if (named !== undefined && plain(named) !== plain(label)) {
      throw malformed(this.#file, line, `"${name}" is of class "${label}", but number ${classNumber} is "${named}"`);
    }
    if (classNumber !== null) {
      this.#numbered.push({ label, number: classNumber, line });
    }
    return label;
  }

  /** A remark on the lines that contradict the others, if there are any. */
  notes(): string[] {
    const odd = [...groupBy(this.#numbered, ({ label }) => label).values()].flatMap((lines) => {
      const byNumber = [...groupBy(lines, ({ number }) => String(number)).values()];
      const [usual, ...others] = byNumber.sort((a, b) => b.length - a.length);
      return others.flat().map((line) => ({ ...line, usual: usual![0]!.number }));
    });
    const [first] = odd;
    return first === undefined
      ? []
      : [
          `${basename(this.#file)}: ${odd.length} lines give their class another number than most lines do, for example ` +
            `line ${first.line} ("${first.label}" is ${first.number}, elsewhere ${first.usual}); the class of the data set counts`,
        ];
  }
}

function listStep(lists: LabelLists): SplitStep {
  const described = Object.entries(lists).flatMap(([role, file]: [string, string | undefined]) =>
    file === undefined
      ? []
      : [[role, { file: basename(file), sha256: createHash('sha256').update(readFileSync(file)).digest('hex') }]],
  );
  return { rule: 'lists', ...Object.fromEntries(described) };
}

function overlap(id: string, first: string, second: string, line: number): ChronotopeError {
  const where = first === second ? 'twice' : `also in ${first}`;
  return new ChronotopeError('list-overlap', `${second}, line ${line}: "${id}" is listed ${where}`, {
    hint: 'A video belongs to one part; use lists of the same split.',
    details: { file: second, line, id },
  });
}
