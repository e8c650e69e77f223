import { existsSync } from 'node:fs';
import { readClassFolders } from '../data/class-folders.js';
import { ClipReader } from '../data/clip-reader.js';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { type Accuracy, accuracy } from '../evaluation/video-level.js';
import { predictVideos } from '../methods/timebalance/inference.js';
import { newClassifier } from '../methods/timebalance/networks.js';
import { CLASSIFIER_STAGES, type ClassifierStage, stageName, testLoader } from '../methods/timebalance/pipeline.js';
import { loadRecipe } from '../recipes/load.js';
import { loadModel } from '../training/checkpoint.js';
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
  const data = readRunData(run);
  const wanted = options.data === undefined ? data.test : testFolder(options.data, classes);
  if (wanted.length === 0) {
    throw new ChronotopeError('no-test-videos', `${folder} has no test videos`, {
      hint: 'Give --data <folder of class folders>, or put test videos under _test/<class>/ before training.',
    });
  }
  const { store, usable, excluded } = await prepareVideos(wanted, run.path('frames-test'), recipe.frames, {
    progress,
    signal,
  });
  const reader = new ClipReader(store);
  const loader = testLoader(recipe, { entries: usable, classes, reader });
  const truth = new Map(usable.map(({ id, label }) => [id, classes.indexOf(label!)]));

  const task = progress.begin('testing', CLASSIFIER_STAGES.length * data.draws, 'models');
  const stages = CLASSIFIER_STAGES.map((stage, position) => ({
    stage,
    draws: Array.from({ length: data.draws }, (_, draw) => {
      task.update(position * data.draws + draw);
      const model = newClassifier(recipe, classes.length, { dropout: 0 });
      loadModel(finishedStage(run, draw, stage), model);
      const result = accuracy(predictVideos(model, loader), truth, classes);
      model.dispose();
      return result;
    }),
  }));
  reader.dispose();
  task.end(`${loader.videos} videos`);
  const evaluation = { classes, videos: loader.videos, excluded, stages };
  writeJsonAtomic(run.path('evaluation.json'), evaluation);
  return evaluation;
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
