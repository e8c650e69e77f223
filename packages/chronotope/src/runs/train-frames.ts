import type { ManifestEntry } from '../data/manifest.js';
import { drawValidation } from '../data/validation-part.js';
import { ChronotopeError } from '../errors.js';
import { predictVideos } from '../evaluation/predict-videos.js';
import { type Recognition, recognition } from '../evaluation/recognition.js';
import { checkNetwork } from '../methods/frames/frame-classifier.js';
import { CLASSIFIER, type RateSearch, runFrames } from '../methods/frames/pipeline.js';
import type { Classifier } from '../models/classifier.js';
import { formatWeightsReport } from '../models/weights/report.js';
import type { FramesRecipe } from '../recipes/frames.js';
import { readJson, writeJsonAtomic } from '../training/json-files.js';
import { firstDoes, heard, isFirst, withProcesses } from '../training/processes.js';
import type { Progress } from '../training/progress.js';
import { partOfBatch } from '../training/settings.js';
import type { RunFolder } from './run-folder.js';
import { openRun, type StartOptions, withFrames } from './start-run.js';
import { bootstrapOver, openTestVideos, withVideos } from './test-videos.js';
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
 * Started as several processes (by chronotope-run, torchrun or the like) it trains on all of them; they must see the same
 * files, and the first one writes and tests.
 *
 * @returns the accuracies on the test part, or null where there is none, and in all processes but the first
 * @throws ChronotopeError `one-class`, `too-few-labels`, and those of `readVideos`, `partOfBatch`, `openRun` and
 *   `withFrames`
 */
export function trainFrames(options: StartOptions & { recipe: FramesRecipe }): Promise<FramesEvaluation | null> {
  return withProcesses(() => train({ ...options, progress: heard(options.progress) }));
}

async function train(
  options: StartOptions & { recipe: FramesRecipe; progress: Progress },
): Promise<FramesEvaluation | null> {
  const { data, split, recipe, progress, signal } = options;
  const { entries, classes, notes } = await readVideos(data, split);
  for (const note of notes) progress.note(`  note: ${note}`);
  if (classes.length < 2) {
    throw new ChronotopeError('one-class', `${data} has labels of ${classes.length} classes`, {
      hint: 'A classifier needs at least two: one folder a class, or a list with labels.',
      details: { classes },
    });
  }
  partOfBatch(recipe.training.batch, recipe.training);
  const weights = checkNetwork(recipe);
  if (weights) progress.note(formatWeightsReport(weights));
  const labelled = entries.filter(({ label }) => label !== null);
  const training = labelled.filter((entry) => entry.split === 'train');
  const test = testPart(labelled);
  const run = await openRun(options, recipe, { classes, training, draws: [training], test, choice: {} });
  const measured = validationVideos(recipe, labelled, test);
  const decoded = [...new Set([...training, ...measured])];
  await withFrames(run, recipe, decoded, options, async (methodRun, usable) => {
    const isUsable = ({ id }: ManifestEntry) => usable.has(id);
    const videos = training.filter((video) => isUsable(video) && !measured.includes(video));
    const search = await runFrames({ ...methodRun, videos, validation: measured.filter(isUsable) });
    await firstDoes(() => writeJsonAtomic(run.path('search.json'), search));
  });
  if (test.length === 0 || !isFirst()) return null;

  const { clips } = recipe.evaluation;
  const opened = openTestVideos(run, undefined, { recipe, progress, signal });
  return withVideos(opened, (videos) => {
    const { loader, truth, excluded } = videos;
    const task = progress.begin('testing', loader.videos, 'videos');
    const predictions = withNetwork(run, recipe, { stage: CLASSIFIER, draw: 0 }, ({ module }) =>
      predictVideos(module as Classifier, loader),
    );
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
  });
}

/** ImageNet's validation part is what is reported on; so is any where there is no test part. */
function testPart(entries: readonly ManifestEntry[]): ManifestEntry[] {
  const test = entries.filter(({ split }) => split === 'test');
  return test.length > 0 ? test : entries.filter(({ split }) => split === 'validation');
}

/** What the classifier is measured on while it learns: the validation part of the data, or else training videos. */
function validationVideos(
  { training: { validation }, seed }: FramesRecipe,
  labelled: readonly ManifestEntry[],
  test: readonly ManifestEntry[],
): ManifestEntry[] {
  if (validation.every === null) return [];
  const part = labelled.filter((entry) => entry.split === 'validation' && !test.includes(entry));
  if (part.length > 0) return part;
  const training = labelled.filter(({ split }) => split === 'train');
  return drawValidation(training, { share: validation.share, seed, draw: 0 });
}

function searchOf(run: RunFolder): RateSearch {
  return readJson(run.path('search.json')) as RateSearch;
}
