import type { ChosenPrediction } from '../choose-examples.js';
import type { ClassifierResults, DataHealth, Picture, StageHistory, TestResults } from '../content.js';

/** Everything the report of a run of CLIP or LSS shows. */
export interface LanguageContent {
  /** The run folder as it was given. */
  run: string;
  startedAt: string;
  /** For people, such as `LSS`. */
  method: string;
  classes: readonly string[];
  /** Why there are no test results; `null` when there are. */
  withoutTest: string | null;
  test: LanguageTest | null;
  curves: readonly StageHistory[];
  /** What the last metrics say about collapse, a sentence each. */
  collapse: readonly string[];
  health: DataHealth;
}

/** How test videos are recognised. `words`: by the names of their classes; `neighbours`: by k labelled training videos. */
export type Recogniser = { by: 'words'; prompts: readonly string[] } | { by: 'neighbours'; k: number; why: string };

/** Test videos, and what every network says of them. */
export interface LanguageTest extends Pick<TestResults, 'videos' | 'classifiers' | 'bootstrap' | 'main'> {
  recogniser: Recogniser;
  /** What the main network is compared with class by class: the image CLIP it comes from, where there is one. */
  baseline: ClassifierResults;
  /** The network before training, where that is another one. */
  before: ClassifierResults | null;
  /** Videos and the concepts that fire in them; none without words. */
  timelines: readonly ConceptTimeline[];
  /** What the concepts of the timelines are. */
  concepts: string;
  failures: readonly Failure[];
}

/** Which concepts a network sees at several moments of a video. */
export interface ConceptTimeline {
  video: number;
  /** Frames spread over the whole video. */
  strip: Picture;
  /** The strongest concepts, those first that are strong for the longest. */
  concepts: readonly { name: string; probabilities: readonly number[] }[];
}

/** A confident mistake. */
export interface Failure extends ChosenPrediction {
  strip: Picture;
  /** The most probable classes, best first. */
  ranking: readonly { name: string; confidence: number }[];
}
