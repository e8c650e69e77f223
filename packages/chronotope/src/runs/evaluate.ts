import type { Bootstrap, Interval } from '../evaluation/bootstrap.js';
import {
  type Difference,
  difference,
  meanOverDraws,
  type Recognition,
  recognition,
} from '../evaluation/recognition.js';
import { argmax, type ClipAverage, rightAt, trueClasses, type VideoPrediction } from '../evaluation/video-level.js';
import { predictVideos } from '../methods/timebalance/inference.js';
import { CLASSIFIER_STAGES, type ClassifierStage } from '../methods/timebalance/pipeline.js';
import type { TestViews } from '../methods/timebalance/view-plans.js';
import { loadRecipe } from '../recipes/load.js';
import { writeJsonAtomic } from '../training/json-files.js';
import { type Progress, silentProgress } from '../training/progress.js';
import { readTestData } from './run-data.js';
import { RunFolder } from './run-folder.js';
import { bootstrapOver, openTestVideos } from './test-videos.js';
import { withClassifier } from './trained-networks.js';

/** Test accuracies of a run. */
export interface RunEvaluation {
  classes: string[];
  videos: number;
  /** The test videos, in the order of all lists with a number for each. */
  ids: string[];
  /** Test videos that could not be decoded or are too short. */
  excluded: { id: string; reason: string }[];
  /** How the numbers were made. */
  protocol: VideoProtocol;
  stages: StageEvaluation[];
  /** The student against every other classifier. */
  comparisons: ({ first: ClassifierStage; second: ClassifierStage } & Difference)[];
}

export interface VideoProtocol extends Required<TestViews> {
  name: 'video';
  average: ClipAverage;
  intervals: Bootstrap['settings'];
}

export interface StageEvaluation {
  stage: ClassifierStage;
  draws: (Recognition & Answers)[];
  /** Top-1, mean over the draws. */
  top1: Interval;
}

/** What a classifier says of each test video. */
export interface Answers {
  /** Number of the most probable class. */
  predicted: number[];
  /** Its probability. */
  confidence: number[];
}

export interface EvaluateOptions extends TestViews {
  /** A folder of class folders to test on; by default the `_test` videos of the training data. */
  data?: string;
  /** Which classifiers; by default all, and only then `evaluation.json` is written. */
  stages?: readonly ClassifierStage[];
  /** What is averaged over clips and crops. Default `probabilities`. */
  average?: ClipAverage;
  progress?: Progress;
  signal?: AbortSignal;
}

/**
 * Tests the classifiers of a run (stage E), with confidence intervals over the test videos.
 *
 * @throws ChronotopeError `no-test-videos`, `stage-missing`, `not-a-run-folder`
 */
export async function evaluateRun(folder: string, options: EvaluateOptions = {}): Promise<RunEvaluation> {
  const { stages: wanted = CLASSIFIER_STAGES, average = 'probabilities', progress = silentProgress, signal } = options;
  const run = RunFolder.open(folder);
  const { classes } = run.description;
  const recipe = loadRecipe(run.path('recipe.yaml'));
  const { draws } = readTestData(run);
  const views = { clips: options.clips ?? recipe.evaluation.clips, crops: options.crops ?? 1 };
  const test = await openTestVideos(run, options.data, { recipe, ...views, progress, signal });
  const { loader, reader, excluded, truth, ids } = test;
  const bootstrap = bootstrapOver(test, recipe.seed);

  const task = progress.begin('testing', wanted.length * draws, 'models');
  const tested = wanted.map((stage, position) => {
    const results = Array.from({ length: draws }, (_, draw) => {
      task.update(position * draws + draw);
      const predictions = withClassifier(run, recipe, { stage, draw }, (model) =>
        predictVideos(model, loader, average),
      );
      const right = rightAt(predictions, trueClasses(predictions, truth), 1);
      const measured = recognition(predictions, truth, classes, { bootstrap });
      return { right, measured: { ...measured, ...answers(predictions) } };
    });
    return { stage, draws: results.map(({ measured }) => measured), right: results.map(({ right }) => right) };
  });
  reader.dispose();
  task.end(`${loader.videos} videos`);

  const student = tested.find(({ stage }) => stage === 'student');
  const others = student ? tested.filter(({ stage }) => stage !== 'student') : [];
  const evaluation: RunEvaluation = {
    classes,
    videos: loader.videos,
    ids,
    excluded,
    protocol: { name: 'video', ...views, average, intervals: bootstrap.settings },
    stages: tested.map(({ stage, draws, right }) => ({ stage, draws, top1: meanOverDraws(right, bootstrap) })),
    comparisons: others.map(({ stage, right }) => ({
      first: 'student',
      second: stage,
      ...difference(student!.right, right, bootstrap),
    })),
  };
  if (options.stages === undefined) writeJsonAtomic(run.path('evaluation.json'), evaluation);
  return evaluation;
}

function answers(predictions: readonly VideoPrediction[]): Answers {
  return {
    predicted: predictions.map(({ probabilities }) => argmax(probabilities)),
    confidence: predictions.map(({ probabilities }) => Math.max(...probabilities)),
  };
}
