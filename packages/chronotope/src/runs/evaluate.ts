import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { readClassFolders } from '../data/class-folders.js';
import { ClipReader } from '../data/clip-reader.js';
import type { ClipLoader } from '../data/loader.js';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { type Accuracy, accuracy } from '../evaluation/video-level.js';
import { predictVideos } from '../methods/timebalance/inference.js';
import { newClassifier } from '../methods/timebalance/networks.js';
import { CLASSIFIER_STAGES, type ClassifierStage, stageName, testLoader } from '../methods/timebalance/pipeline.js';
import type { Classifier } from '../models/classifier.js';
import { loadRecipe } from '../recipes/load.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import { loadModel } from '../training/checkpoint.js';
import { interrupted } from '../training/fit.js';
import { writeJsonAtomic } from '../training/json-files.js';
import { type Progress, silentProgress } from '../training/progress.js';
import { prepareVideos } from './prepare-videos.js';
import { readRunData } from './run-data.js';
import { RunFolder } from './run-folder.js';

/** Test accuracies of a run. */
export interface RunEvaluation {
  classes: string[];
  videos: number;
  /** Test videos that could not be decoded. */
  excluded: { id: string; reason: string }[];
  stages: { stage: ClassifierStage; draws: Accuracy[] }[];
}

/**
 * Tests every classifier of a run (stage E) and writes `evaluation.json`.
 *
 * @param options.data a folder of class folders to test on; by default the `_test` videos of the training data
 * @throws ChronotopeError `no-test-videos`, `stage-missing`, `not-a-run-folder`
 */
export async function evaluateRun(
  folder: string,
  options: { data?: string; progress?: Progress; signal?: AbortSignal } = {},
): Promise<RunEvaluation> {
  const { progress = silentProgress, signal } = options;
  const run = RunFolder.open(folder);
  const { classes } = run.description;
  const recipe = loadRecipe(run.path('recipe.yaml'));
  const { draws } = readRunData(run);
  const testSet = await openTestSet(run, recipe, { data: options.data, progress, signal });
  try {
    const task = progress.begin('testing', CLASSIFIER_STAGES.length * draws, 'models');
    const stages: RunEvaluation['stages'] = [];
    for (const stage of CLASSIFIER_STAGES) {
      const results: Accuracy[] = [];
      for (let draw = 0; draw < draws; draw++) {
        const model = loadClassifier(run, recipe, draw, stage);
        results.push(accuracy(predictVideos(model, testSet.loader), testSet.truth, classes));
        model.dispose();
        task.update(stages.length * draws + draw + 1);
        await breathe(signal);
      }
      stages.push({ stage, draws: results });
    }
    task.end(`${testSet.loader.videos} videos`);
    const evaluation = { classes, videos: testSet.loader.videos, excluded: testSet.excluded, stages };
    writeJsonAtomic(run.path('evaluation.json'), evaluation);
    return evaluation;
  } finally {
    testSet.reader.dispose();
  }
}

/** The decoded test videos of a run. */
export interface TestSet {
  /** Videos whose frames are stored; the loader leaves out those too short for a clip. */
  entries: ManifestEntry[];
  /** The clips of stage E. */
  loader: ClipLoader;
  /** Where the clips come from; to be disposed by the caller. */
  reader: ClipReader;
  /** Index of each video's class. */
  truth: ReadonlyMap<string, number>;
  /** Videos that could not be decoded. */
  excluded: { id: string; reason: string }[];
}

/**
 * Decodes the test videos of a run.
 *
 * @param options.data a folder of class folders instead
 * @throws ChronotopeError `no-test-videos`, `no-usable-videos`, `unknown-class`, `interrupted`
 */
export async function openTestSet(
  run: RunFolder,
  recipe: TimeBalanceRecipe,
  options: { data?: string; progress: Progress; signal?: AbortSignal },
): Promise<TestSet> {
  const { data, progress, signal } = options;
  const { classes } = run.description;
  const wanted = data === undefined ? readRunData(run).test : testFolder(data, classes);
  if (wanted.length === 0) {
    throw new ChronotopeError('no-test-videos', `${run.folder} has no test videos`, {
      hint: 'Give --data <folder of class folders>, or put test videos under _test/<class>/ before training.',
    });
  }
  const prepared = await prepareVideos(wanted, run.path('frames-test'), recipe.frames, { progress, signal });
  const reader = new ClipReader(prepared.store);
  const loader = testLoader(recipe, { entries: prepared.usable, classes, reader });
  const truth = new Map(prepared.usable.map(({ id, label }) => [id, classes.indexOf(label!)]));
  return { entries: prepared.usable, loader, reader, truth, excluded: prepared.excluded };
}

/**
 * A trained classifier of a run, to be disposed by the caller.
 *
 * @throws ChronotopeError `stage-missing`, `checkpoint-differs`
 */
export function loadClassifier(
  run: RunFolder,
  recipe: TimeBalanceRecipe,
  draw: number,
  stage: ClassifierStage,
): Classifier {
  const folder = finishedStage(run, draw, stage);
  const model = newClassifier(recipe, run.description.classes.length, { dropout: 0 });
  loadModel(folder, model);
  return model;
}

/** Lets the event loop run, so that Ctrl-C is seen. */
export async function breathe(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal?.aborted) throw interrupted();
}

/** The stage folder of a trained classifier. */
export function finishedStage(run: RunFolder, draw: number, stage: ClassifierStage) {
  const folder = run.stage(stageName(draw, stage));
  if (!folder.isDone || !existsSync(folder.modelFile)) {
    throw new ChronotopeError('stage-missing', `${run.folder} has no finished stage ${folder.name}`, {
      hint: 'Continue the run with the `chronotope train` command that started it.',
    });
  }
  return folder;
}

function testFolder(folder: string, classes: readonly string[]): ManifestEntry[] {
  const { entries } = readClassFolders(folder);
  const labelled = entries.filter(({ label }) => label !== null);
  const unknown = labelled.find(({ label }) => !classes.includes(label!));
  if (unknown) {
    throw new ChronotopeError('unknown-class', `the class "${unknown.label}" was not trained`, {
      hint: `The run knows ${classes.join(', ')}.`,
    });
  }
  return labelled;
}
