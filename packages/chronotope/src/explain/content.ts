import type { Bootstrap } from '../evaluation/bootstrap.js';
import type { MetricsLine } from '../training/fit.js';
import type { Neighbour } from './neighbours.js';

/** Everything a report shows. Parts that a run does not have are `null` or empty. */
export interface ReportContent {
  /** The run folder as it was given. */
  run: string;
  startedAt: string;
  classes: readonly string[];
  protocol: Protocol;
  /** Why the report has no test results; `null` when it has them. */
  withoutTest: string | null;
  test: TestResults | null;
  similarity: SimilarityScores | null;
  curves: readonly StageHistory[];
  health: DataHealth;
}

/** How the run was made. */
export interface Protocol {
  data: string;
  /** Training videos and how many of them keep their label in each draw; `null` if the run did not record it. */
  training: { videos: number; labelledPerDraw: readonly number[] } | null;
  testVideos: number;
  draws: number;
  seed: number;
  /** Settings worth reading, in words. */
  settings: readonly (readonly [name: string, value: string])[];
  /** The whole recipe as YAML. */
  recipe: string;
  machine: readonly (readonly [name: string, value: string])[];
  /** Trains the run again; `null` if the run did not record how its labels were chosen. */
  command: string | null;
}

/** Test videos and what every classifier said of them; all lists are in the order of `videos`. */
export interface TestResults {
  videos: readonly TestVideo[];
  classifiers: readonly ClassifierResults[];
  /** Draws test sets, for intervals: the same ones as `chronotope evaluate`. */
  bootstrap: Bootstrap;
  /** The classifier that the pictures are about. */
  main: ClassifierResults;
  teachers: { invariant: ClassifierResults; distinctive: ClassifierResults } | null;
  /** Of the main classifier of the first label draw. */
  mistakes: readonly ExplainedPrediction[];
  successes: readonly ExplainedPrediction[];
  neighbours: readonly NeighbourRow[];
  /** Share of videos whose nearest neighbour has their class. */
  nearestOfSameClass: number;
  /** Film strips of videos by their index, where they could be decoded. */
  strips: ReadonlyMap<number, Picture>;
}

export interface TestVideo {
  id: string;
  /** Index of the true class. */
  truth: number;
}

export interface ClassifierResults {
  stage: string;
  title: string;
  role: 'baseline' | 'teacher' | 'student';
  /** Class probabilities `[C]` of each video, for each label draw that is done. */
  draws: readonly (readonly Float32Array[])[];
}

/** Temporal similarity scores. */
export interface SimilarityScores {
  /** Of the training videos, as the student's training used them. */
  training: readonly number[];
  /** What of the clips is compared, as `similarity.source` has it. */
  source: string;
  /** How scores became weights. */
  map: string;
  /** Of the test videos, in their order; `null` without test videos. */
  test: readonly number[] | null;
  /** How well the score tells which teacher is right; `null` if no teacher is ever right alone. */
  agreement: ScoreAgreement | null;
}

/** Scores of the videos that only one of the teachers gets right. */
export interface ScoreAgreement {
  /** Share of pairs in which the video of the invariant teacher has the higher score. */
  areaUnderCurve: number;
  /** Videos that only the invariant and only the distinctive teacher gets right, in some label draw. */
  invariant: number;
  distinctive: number;
}

/** A prediction with the map of its evidence. */
export interface ExplainedPrediction {
  video: number;
  predicted: number;
  /** The class that the map compares with: the true one of a mistake, else the second most probable. */
  against: number;
  confidence: number;
  /** The clip that spoke most for the answer. */
  frames: Picture;
  evidence: Picture;
  /** Mean of the map at each of its steps in time. */
  moments: readonly number[];
}

export interface NeighbourRow {
  video: number;
  neighbours: readonly Neighbour[];
}

/** An embedded picture. */
export interface Picture {
  /** A `data:` address. */
  source: string;
  width: number;
  height: number;
}

/** How the training of one stage went. */
export interface StageHistory {
  name: string;
  title: string;
  /** Which draw of labels, from 0 on; `null` for what all draws share. */
  draw: number | null;
  done: boolean;
  /** Time of the last attempt; `null` while it is not done and for stages that do not train. */
  seconds: number | null;
  /** The run or file that the stage was taken from. */
  from: string | null;
  lines: readonly MetricsLine[];
}

export interface DataHealth {
  /** Left out of training and of testing. */
  training: readonly ExcludedVideo[];
  test: readonly ExcludedVideo[];
}

export interface ExcludedVideo {
  id: string;
  reason: string;
}
