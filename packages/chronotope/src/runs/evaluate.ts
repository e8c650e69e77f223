import type { Bootstrap, Interval } from '../evaluation/bootstrap.js';
import { predictVideos } from '../evaluation/predict-videos.js';
import {
  type Difference,
  difference,
  meanOverDraws,
  type Recognition,
  recognition,
} from '../evaluation/recognition.js';
import { argmax, type ClipAverage, rightAt, trueClasses, type VideoPrediction } from '../evaluation/video-level.js';
import { type ClassifierStage, classifierStages } from '../methods/timebalance/stages.js';
import { type TestViews, trainedMethod } from '../methods/trained-method.js';
import { writeJsonAtomic } from '../training/json-files.js';
import { type Progress, silentProgress } from '../training/progress.js';
import { networksOf } from './chosen-weights.js';
import { chosenDevice, type DeviceChoice } from './device.js';
import { readTestData } from './run-data.js';
import { RunFolder } from './run-folder.js';
import { classifierRecipe } from './run-recipe.js';
import { bootstrapOver, openTestVideos, withVideos } from './test-videos.js';
import { requireStages, withClassifier } from './trained-networks.js';

/** Test accuracies of a run. */
export interface RunEvaluation {
  classes: string[];
  videos: number;
  /** The test videos, in the order of all lists with a number for each. */
  ids: string[];
  /** Test videos that could not be decoded, are too short, or whose decoded frames were damaged. */
  excluded: { id: string; reason: string }[];
  /** How the numbers were made. */
  protocol: VideoProtocol;
  stages: StageEvaluation[];
  /** The student against every other classifier. */
  comparisons: ({ first: ClassifierStage; second: ClassifierStage } & Difference)[];
}

export interface VideoProtocol extends Required<TestViews> {
  name: 'video';
  /** Which weights, if not the results of the stages. */
  checkpoint?: string;
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
  /** Class folders, a manifest or a list to test on; by default the test videos of the run's own data. */
  data?: string;
  /** Which classifiers; by default all, and only then `evaluation.json` is written. */
  stages?: readonly ClassifierStage[];
  /** Weights other than the results of the stages, see {@link NetworkChoice}; default stage: the student. */
  checkpoint?: string;
  /** What is averaged over clips and crops. Default `probabilities`. */
  average?: ClipAverage;
  /** Where the networks compute. Default `auto`: on a GPU if there is one. */
  device?: DeviceChoice;
  progress?: Progress;
  signal?: AbortSignal;
}

/**
 * Tests the classifiers of a run (stage E), with confidence intervals over the test videos.
 *
 * @throws ChronotopeError `no-gpu`, `no-test-videos`, `stage-unknown`, `not-a-run-folder`; those of `loadWeights`
 */
export async function evaluateRun(folder: string, options: EvaluateOptions = {}): Promise<RunEvaluation> {
  const { average = 'probabilities', checkpoint, progress = silentProgress, signal } = options;
  const run = RunFolder.open(folder);
  const { classes } = run.description;
  const recipe = classifierRecipe(run);
  const method = trainedMethod(recipe);
  const wanted = options.stages ?? (checkpoint === undefined ? classifierStages(recipe) : ['student' as const]);
  requireStages(recipe, wanted);
  const device = chosenDevice(options.device);
  const { draws } = readTestData(run);
  const views = { clips: options.clips ?? recipe.evaluation.clips, crops: options.crops ?? 1 };
  const opened = openTestVideos(run, options.data, { recipe, device, ...views, progress, signal });
  const evaluation = await withVideos(opened, (test): RunEvaluation => {
    const { loader, truth } = test;
    const networks = networksOf(method, { stage: wanted[0]!, checkpoint }, draws);
    const task = progress.begin('testing', wanted.length * networks, 'models');
    const answered = wanted.map((stage, position) => {
      const predictions = Array.from({ length: networks }, (_, draw) => {
        task.update(position * networks + draw);
        return withClassifier(run, recipe, { stage, draw, checkpoint }, (model) =>
          predictVideos(model.to({ device }), loader, average),
        );
      });
      return { stage, predictions };
    });
    task.end(`${loader.videos} videos`);
    for (const { id, reason } of loader.damaged) progress.note(`  left out: ${id}: ${reason}`);

    // Not those of the loader: frames that turned out to be damaged have no prediction.
    const ids = answered[0]!.predictions[0]!.map(({ id }) => id);
    const bootstrap = bootstrapOver({ ...test, ids }, recipe.seed);
    const tested = answered.map(({ stage, predictions: ofDraws }) => {
      const results = ofDraws.map((predictions) => {
        const right = rightAt(predictions, trueClasses(predictions, truth), 1);
        const measured = recognition(predictions, truth, classes, { bootstrap });
        return { right, measured: { ...measured, ...answers(predictions) } };
      });
      return { stage, draws: results.map(({ measured }) => measured), right: results.map(({ right }) => right) };
    });

    const student = tested.find(({ stage }) => stage === 'student');
    const others = student ? tested.filter(({ stage }) => stage !== 'student') : [];
    return {
      classes,
      videos: ids.length,
      ids,
      excluded: [...test.excluded, ...loader.damaged],
      protocol: {
        name: 'video',
        ...(checkpoint !== undefined && { checkpoint }),
        ...views,
        average,
        intervals: bootstrap.settings,
      },
      stages: tested.map(({ stage, draws, right }) => ({ stage, draws, top1: meanOverDraws(right, bootstrap) })),
      comparisons: others.map(({ stage, right }) => ({
        first: 'student',
        second: stage,
        ...difference(student!.right, right, bootstrap),
      })),
    };
  });
  if (options.stages === undefined && checkpoint === undefined)
    writeJsonAtomic(run.path('evaluation.json'), evaluation);
  return evaluation;
}

/** What a classifier says of each video. */
export function answers(predictions: readonly VideoPrediction[]): Answers {
  return {
    predicted: predictions.map(({ probabilities }) => argmax(probabilities)),
    confidence: predictions.map(({ probabilities }) => Math.max(...probabilities)),
  };
}
