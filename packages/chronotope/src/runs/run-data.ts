import type { ManifestEntry } from '../data/manifest.js';
import { readJson, writeJsonAtomic } from '../training/json-files.js';
import type { RunFolder } from './run-folder.js';

/** What a run was trained and is tested on: `data.json`. */
export interface RunData {
  /** The folder of videos as it was given. */
  folder: string;
  /** Label draws. */
  draws: number;
  test: ManifestEntry[];
  /** What follows is absent in runs that were started by earlier versions. */
  training?: TrainingData;
}

/** The training videos of a run. */
export interface TrainingData {
  /** Training videos, labelled or not. */
  videos: number;
  /** Ids of the videos whose label is used, of each draw. */
  labelled: string[][];
  /** How the labels were chosen, as in the options of training; absent: all labels of the class folders. */
  labelsPerClass?: number;
  labelsFile?: string;
  /** The run whose pre-trained networks were taken over. */
  pretrained?: string;
}

export function writeRunData(run: RunFolder, data: RunData): void {
  writeJsonAtomic(run.path('data.json'), data);
}

/** @throws ChronotopeError `damaged-file` */
export function readRunData(run: RunFolder): RunData {
  return readJson(run.path('data.json')) as RunData;
}
