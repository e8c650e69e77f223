import path from 'node:path';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { readJson, writeJsonAtomic } from '../training/json-files.js';
import type { RunFolder } from './run-folder.js';

/** The videos of a run, in its `data.json`. */
export interface RunData {
  /** The data folder. */
  folder: string;
  /** Number of label draws. */
  draws: number;
  test: ManifestEntry[];
  /** The training videos with every label that the data has, also those that were hidden from the run. */
  train: ManifestEntry[];
  /** For each draw the labels that were known, by id. */
  labels: Record<string, string>[];
  /** How the labels were chosen; absent in runs of earlier versions. */
  choice?: LabelChoice;
}

/** The options of training that decide about labels. */
export interface LabelChoice {
  labelsPerClass?: number;
  labelsFile?: string;
  /** The run whose pre-trained networks were taken over. */
  pretrained?: string;
}

/** @param run.draws the training videos of each label draw, with the labels that are known in it */
export function writeRunData(
  run: RunFolder,
  data: {
    folder: string;
    training: ManifestEntry[];
    draws: readonly (readonly ManifestEntry[])[];
    test: ManifestEntry[];
    choice: LabelChoice;
  },
): void {
  const { folder, training, draws, test, choice } = data;
  const labels = draws.map((draw) =>
    Object.fromEntries(draw.flatMap(({ id, label }) => (label === null ? [] : [[id, label]]))),
  );
  const content: RunData = {
    ...{ folder, draws: draws.length, labels, choice },
    ...{ test: test.map(wherever), train: training.map(wherever) },
  };
  writeJsonAtomic(run.path('data.json'), content);
}

/** A run is evaluated from any working directory. */
function wherever(entry: ManifestEntry): ManifestEntry {
  return { ...entry, path: path.resolve(entry.path) };
}

/** The test videos of a run and its number of label draws. */
export function readTestData(run: RunFolder): Pick<RunData, 'folder' | 'draws' | 'test'> {
  return readJson(run.path('data.json')) as RunData;
}

/** @throws ChronotopeError `training-videos-unknown` for a run of a version that did not list its training videos */
export function readRunData(run: RunFolder): RunData {
  const data = readJson(run.path('data.json')) as Partial<RunData>;
  if (data.train === undefined || data.labels === undefined) {
    throw new ChronotopeError('training-videos-unknown', `${run.path('data.json')} does not list the training videos`, {
      hint: 'Give the `chronotope train` command of this run again: it adds the list and trains nothing anew.',
    });
  }
  return data as RunData;
}
