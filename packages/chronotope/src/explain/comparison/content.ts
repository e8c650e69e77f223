import type { Bootstrap, Interval } from '../../evaluation/bootstrap.js';

/** What several runs came to, side by side. Plain values: as JSON it says the same. */
export interface Comparison {
  classes: readonly string[];
  testVideos: number;
  /** Clips and crops of a test video, and what is averaged over them, in words. */
  protocol: string;
  /** How the intervals over test videos were made. */
  intervals: Bootstrap['settings'];
  budgets: readonly Budget[];
  rows: readonly ComparedRow[];
  /** Why the rows may not be ranked: fields in which the protocols differ. Empty if they may. */
  differences: readonly string[];
  runs: readonly { name: string; budget: string; seed: number; folder: string }[];
}

/** A choice of labels. */
export interface Budget {
  name: string;
  /** Training videos with a known label, mean over the runs. */
  labelled: number;
}

/** One classifier of one kind of run. */
export interface ComparedRow {
  run: string;
  stage: string;
  /** Names it for people. */
  title: string;
  /** One for each budget; null where there is no such run. */
  cells: readonly (ComparedCell | null)[];
}

/** Top-1 of a classifier with a choice of labels. */
export interface ComparedCell {
  /** Of each seed and label draw. */
  values: readonly number[];
  /** Mean over seeds and draws, and how far another set of test videos could move it. */
  top1: Interval;
  /** Standard deviation over seeds and draws (n − 1); null of one value. */
  deviation: number | null;
  /** 1 is the best of this budget; null if the runs may not be ranked. */
  rank: number | null;
  /** This one minus the best, paired over test videos; null for the best and where nothing is ranked. */
  behindBest: Interval | null;
}
