import { readClassFolders } from '../data/class-folders.js';
import { labelsFromFile } from '../data/labels-file.js';
import { classesOf, type ManifestEntry } from '../data/manifest.js';
import { missingNote } from '../data/readers/dataset.js';
import { isToldByPlace, readDataset } from '../data/readers/read-dataset.js';
import { applySplit, readSplit } from '../data/splits/dataset-split.js';
import { ChronotopeError } from '../errors.js';

/** The videos of a data set and its classes in the order of their numbers. */
export interface TrainingData {
  entries: ManifestEntry[];
  classes: string[];
  /** Readable remarks on what was left out. */
  notes: string[];
}

/**
 * Reads what a run trains and tests on: a folder or list in any format of docs/datasets.md that has at least two classes;
 * with the parts and labels of a split file if one is given.
 *
 * @param data a folder or a list
 * @param split a file written by `chronotope split`
 * @throws ChronotopeError those of `readClassFolders`, `readDataset`, `readSplit` and `applySplit`; `one-class`
 */
export async function readTrainingData(data: string, split?: string): Promise<TrainingData> {
  return divided(await readClasses(data), split);
}

/**
 * Reads videos that are learnt from without labels: any folder or list of docs/datasets.md, with classes or without.
 *
 * @throws ChronotopeError those of `readDataset`, `readSplit` and `applySplit`
 */
export async function readVideos(data: string, split?: string): Promise<TrainingData> {
  return divided(await readAny(data), split);
}

/** The videos of a run whose labels a file says. */
export interface LabelledData extends TrainingData {
  /** The same videos with the labels that may be used. */
  labelled: ManifestEntry[];
}

/**
 * Reads what a run trains and tests on, and the labels that it may use: all, or those of a file. Only then the data
 * themselves need no classes.
 *
 * @param source.labelsFile a CSV file; see `labelsFromFile`
 * @throws ChronotopeError those of `readTrainingData` and `labelsFromFile`
 */
export async function readLabelledData(source: {
  data: string;
  split?: string;
  labelsFile?: string;
}): Promise<LabelledData> {
  const { data, split, labelsFile } = source;
  if (labelsFile === undefined) {
    const found = await readTrainingData(data, split);
    return { ...found, labelled: found.entries };
  }
  const { entries, notes } = await readTrainingData(data, split).catch((error: unknown) => {
    if (error instanceof ChronotopeError && WITHOUT_CLASSES.includes(error.code)) return readVideos(data, split);
    throw error;
  });
  const labelled = labelsFromFile(entries, labelsFile);
  const classes = classesOf(labelled);
  if (classes.length < 2) throw oneClass(labelsFile, classes);
  // A class that no label may be of does not exist for the run.
  const known = entries.map((entry) => (classes.includes(entry.label ?? '') ? entry : { ...entry, label: null }));
  return { entries: known, classes, notes, labelled };
}

const WITHOUT_CLASSES = ['no-classes', 'no-videos', 'one-class'];

/** With the parts and labels of a split file if there is one. */
function divided({ entries, classes, notes }: TrainingData, split: string | undefined): TrainingData {
  if (split === undefined) return { entries, classes, notes };
  const applied = applySplit(entries, readSplit(split));
  return { entries: applied.entries, classes, notes: [...notes, ...applied.notes] };
}

async function readClasses(data: string): Promise<TrainingData> {
  if (isToldByPlace(data)) {
    const { entries, classes, warnings } = readClassFolders(data);
    return { entries, classes, notes: warnings };
  }
  const found = await readAny(data);
  if (found.classes.length < 2) throw oneClass(data, found.classes);
  return found;
}

async function readAny(data: string): Promise<TrainingData> {
  const dataset = await readDataset(data);
  const { entries, notes } = dataset;
  const missing = missingNote(dataset);
  return { entries, classes: classesOf(entries), notes: missing === null ? notes : [...notes, missing] };
}

function oneClass(source: string, classes: readonly string[]): ChronotopeError {
  const found = classes.length === 0 ? 'no labels' : `only one class, "${classes[0]}"`;
  return new ChronotopeError('one-class', `${source} has ${found}`, {
    hint: 'A recogniser needs at least two classes, each with a labelled video.',
    details: { classes },
  });
}
