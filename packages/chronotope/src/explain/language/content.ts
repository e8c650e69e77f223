import type { Interval } from '../../evaluation/bootstrap.js';
import type { CrossModalResult } from '../../evaluation/cross-modal.js';
import type { ChosenPrediction } from '../choose-examples.js';
import type { ClassifierResults, DataHealth, Picture, Protocol, StageHistory, TestResults } from '../content.js';

/** Everything the report of a run of CLIP or LSS shows. */
export interface LanguageContent {
  /** The run folder as it was given. */
  run: string;
  startedAt: string;
  /** For people, such as `LSS`. */
  method: string;
  classes: readonly string[];
  protocol: LanguageProtocol;
  /** Why there are no test results; `null` when there are. */
  withoutTest: string | null;
  test: LanguageTest | null;
  features: FeatureResults;
  curves: readonly StageHistory[];
  /** What the last metrics say about collapse, a sentence each. */
  collapse: readonly string[];
  health: DataHealth;
}

/** How a run was made. */
export interface LanguageProtocol
  extends Pick<Protocol, 'data' | 'testVideos' | 'seed' | 'settings' | 'recipe' | 'machine' | 'command'> {
  /** Training videos and how many of them have a sentence; `null` if the run did not record them. */
  training: { videos: number; captions: number } | null;
  /** What is learnt: to match frames and sentences, or by what student and teacher compare views. */
  learns: 'captions' | 'concepts' | 'outputs' | 'features';
}

/** What `chronotope evaluate` has found about the features of a run's networks, and what it has not been asked. */
export interface FeatureResults {
  finished: readonly FeatureProtocolResults[];
  /** Commands for the other protocols; none for a run without the labels that they want. */
  commands: readonly string[];
}

/** The measures of one protocol. */
export interface FeatureProtocolResults {
  /** Such as `k-NN`. */
  title: string;
  /** Videos, labels and views, in words. */
  settings: string;
  networks: readonly { stage: string; title: string; measures: readonly ({ name: string } & Interval)[] }[];
}

/** How well sentences find their videos among the test videos, and videos their sentences, by one network. */
export interface CaptionResults {
  title: string;
  /** Test videos with a sentence that it could see. */
  videos: number;
  textToVideo: CrossModalResult;
  videoToText: CrossModalResult;
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
  /** Of each network; none where fewer than two test videos have a sentence, or without words. */
  captions: readonly CaptionResults[];
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
