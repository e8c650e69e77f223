import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { predictVideos } from '../evaluation/predict-videos.js';
import { type Recognition, recognition } from '../evaluation/recognition.js';
import { checkNetwork } from '../methods/frames/frame-classifier.js';
import { CLASSIFIER, type RateSearch, runFrames } from '../methods/frames/pipeline.js';
import type { Classifier } from '../models/classifier.js';
import { formatWeightsReport } from '../models/weights/report.js';
import type { FramesRecipe } from '../recipes/frames.js';
import { readJson, writeJsonAtomic } from '../training/json-files.js';
import { silentProgress } from '../training/progress.js';
import type { RunFolder } from './run-folder.js';
import { openRun, type StartOptions, withFrames } from './start-run.js';
import { bootstrapOver, openTestVideos } from './test-videos.js';
import { withNetwork } from './trained-networks.js';
import { readVideos } from './training-data.js';

/** What a classifier of frames reaches on the test videos, or test images. */
export interface FramesEvaluation {
  classes: string[];
  videos: number;
  excluded: { id: string; reason: string }[];
  clips: number;
  search: RateSearch;
  result: Recognition;
}

/**
 * Trains a linear classifier on frozen image features, or fine-tunes the whole network: on single images (ImageNet's
 * linear protocol), or on clips that are seen frame by frame (action recognition). Writes `evaluation.json`.
 *
 * @returns the accuracies on the test part, or null where there is none
 * @throws ChronotopeError `one-class`, `class-without-labels`, and those of `readVideos`, `openRun` and `withFrames`
 */
export async function trainFrames(options: StartOptions & { recipe: FramesRecipe }): Promise<FramesEvaluation | null> {
  const { data, split, recipe, progress = silentProgress, signal } = options;
  const { entries, classes, notes } = await readVideos(data, split);
  for (const note of notes) progress.note(`  note: ${note}`);
  if (classes.length < 2) {
    throw new ChronotopeError('one-class', `${data} has labels of ${classes.length} classes`, {
      hint: 'A classifier needs at least two: one folder a class, or a list with labels.',
      details: { classes },
    });
  }
  const weights = checkNetwork(recipe);
  if (weights) progress.note(formatWeightsReport(weights));
  const labelled = entries.filter(({ label }) => label !== null);
  const training = labelled.filter((entry) => entry.split === 'train');
  const test = testPart(labelled);
  const run = await openRun(options, recipe, { classes, training, draws: [training], test, choice: {} });
  await withFrames(run, recipe, training, { ...options, progress }, async (methodRun, usable) => {
    const videos = training.filter(({ id }) => usable.has(id));
    writeJsonAtomic(run.path('search.json'), await runFrames({ ...methodRun, videos }));
  });
  if (test.length === 0) return null;

  const { clips } = recipe.evaluation;
  const videos = await openTestVideos(run, undefined, { recipe, progress, signal });
  const { loader, reader, truth, excluded } = videos;
  const task = progress.begin('testing', loader.videos, 'videos');
  const predictions = withNetwork(run, recipe, { stage: CLASSIFIER, draw: 0 }, ({ module }) =>
    predictVideos(module as Classifier, loader),
  );
  reader.dispose();
  task.end(`${predictions.length} videos`);
  const ids = predictions.map(({ id }) => id);
  const bootstrap = bootstrapOver({ ...videos, ids }, recipe.seed);
  const evaluation: FramesEvaluation = {
    classes,
    videos: ids.length,
    excluded: [...excluded, ...loader.damaged],
    clips,
    search: searchOf(run),
    result: recognition(predictions, truth, classes, { bootstrap }),
  };
  writeJsonAtomic(run.path('evaluation.json'), evaluation);
  return evaluation;
}

/** ImageNet's validation part is what is reported on; so is any where there is no test part. */
function testPart(entries: readonly ManifestEntry[]): ManifestEntry[] {
  const test = entries.filter(({ split }) => split === 'test');
  return test.length > 0 ? test : entries.filter(({ split }) => split === 'validation');
}

function searchOf(run: RunFolder): RateSearch {
  return readJson(run.path('search.json')) as RateSearch;
}
