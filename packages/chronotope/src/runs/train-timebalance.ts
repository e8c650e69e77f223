import { drawLabels, requireLabelInEveryClass } from '../data/label-split.js';
import type { ManifestEntry } from '../data/manifest.js';
import { drawValidation } from '../data/validation-part.js';
import { ChronotopeError } from '../errors.js';
import { checkNetwork } from '../methods/timebalance/networks.js';
import { runTimeBalance } from '../methods/timebalance/pipeline.js';
import { checkBatches } from '../methods/timebalance/run.js';
import { formatWeightsReport } from '../models/weights/report.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import { writeJsonAtomic } from '../training/json-files.js';
import { firstDoes, heard, isFirst, withProcesses } from '../training/processes.js';
import type { Progress } from '../training/progress.js';
import { adoptPretraining, checkPretraining } from './adopt-pretraining.js';
import { evaluateRun, type RunEvaluation } from './evaluate.js';
import { givenPretraining, takeGivenPretraining } from './given-pretraining.js';
import { RunFolder } from './run-folder.js';
import { openRun, type StartOptions, withFrames } from './start-run.js';
import { type LabelledData, readLabelledData } from './training-data.js';

/** Settings of {@link trainTimeBalance}. */
export interface TrainOptions extends StartOptions {
  recipe: TimeBalanceRecipe;
  /** Hides all but this many labels of each class. */
  labelsPerClass?: number;
  /** How many times such labels are drawn; the draws share one pre-training. Default 1. */
  labelDraws?: number;
  /** A CSV file `path,label` with the labels to use; all others are hidden. */
  labelsFile?: string;
  /** Another run whose pre-trained networks are taken over instead of being trained: more labels, same videos. */
  pretrained?: string;
}

/**
 * Trains TimeBalance and its baselines on a data set of any layout with at least two classes.
 *
 * Started as several processes (by chronotope-run, torchrun or the like) it trains on all of them; they must see the same
 * files, and the first one writes.
 *
 * @returns the accuracies on the test videos, or null when there are none, and in all processes but the first
 */
export function trainTimeBalance(options: TrainOptions): Promise<RunEvaluation | null> {
  return withProcesses(() => train({ ...options, progress: heard(options.progress) }));
}

async function train(options: TrainOptions & { progress: Progress }): Promise<RunEvaluation | null> {
  const { out, recipe, pretrained, progress, signal } = options;
  const found = await readLabelledData(options);
  for (const note of found.notes) progress.note(`  note: ${note}`);
  checkBatches(recipe);
  const weights = checkNetwork(recipe);
  if (weights) progress.note(formatWeightsReport(weights));
  const draws = labelDraws(found, options);
  const training = found.entries.filter(({ split }) => split === 'train');
  const test = testVideos(found, progress);
  const choice = { labelsPerClass: options.labelsPerClass, labelsFile: options.labelsFile, pretrained };
  const origin = pretrained === undefined ? undefined : RunFolder.open(pretrained);
  if (origin) checkPretraining(origin, recipe, training);
  // The other run has what its recipe, which is the same, was given.
  const given = origin ? [] : await givenPretraining(out, recipe, signal);
  for (const { title, report } of given) progress.note(`${title}: weights of ${formatWeightsReport(report)}`);
  const videos = { classes: found.classes, training, draws, test, choice };
  const run = await openRun(
    options,
    recipe,
    videos,
    origin && { what: 'pre-trained networks', hash: origin.description.fingerprint },
  );
  if (origin) await firstDoes(() => adoptPretraining(origin, run, recipe));
  await firstDoes(() => takeGivenPretraining(run, recipe, given));

  const part = validates(recipe) ? found.entries.filter(({ split }) => split === 'validation') : [];
  await withFrames(run, recipe, [...training, ...part], options, async (methodRun, usable) => {
    const usableDraws = draws.map((draw) => draw.filter(({ id }) => usable.has(id)));
    for (const draw of usableDraws) requireLabelInEveryClass(draw, found.classes);
    const usablePart = part.filter(({ id }) => usable.has(id));
    const validation = usableDraws.map((entries, draw) => validationVideos(recipe, usablePart, entries, draw));
    if (validates(recipe)) await firstDoes(() => writeValidationIds(run, validation));
    await runTimeBalance({ ...methodRun, draws: usableDraws, validation });
  });
  return test.length === 0 || !isFirst() ? null : evaluateRun(out, { progress, signal });
}

/** The test videos whose class is known: some published sets keep it secret. */
function testVideos({ entries }: LabelledData, progress: Progress): ManifestEntry[] {
  const test = entries.filter(({ split }) => split === 'test');
  const labelled = test.filter(({ label }) => label !== null);
  if (labelled.length < test.length) {
    progress.note(`  note: ${test.length - labelled.length} test videos have no label, and are not tested on`);
  }
  return labelled;
}

const validates = ({ training }: TimeBalanceRecipe): boolean => training.validation.every !== null;

function writeValidationIds(run: RunFolder, draws: readonly (readonly ManifestEntry[])[]): void {
  const ids = draws.map((entries) => entries.map(({ id }) => id));
  writeJsonAtomic(run.path('validation.json'), ids);
}

/** What the classifiers of a draw are measured on: the validation part of the data, or else some of the labelled videos. */
function validationVideos(
  recipe: TimeBalanceRecipe,
  part: readonly ManifestEntry[],
  entries: readonly ManifestEntry[],
  draw: number,
): ManifestEntry[] {
  if (!validates(recipe)) return [];
  const labelled = part.filter(({ label }) => label !== null);
  const { share } = recipe.training.validation;
  return labelled.length > 0 ? labelled : drawValidation(entries, { share, seed: recipe.seed, draw });
}

/** The training videos of each draw, with the labels that are known in it. */
function labelDraws({ labelled, classes }: LabelledData, options: TrainOptions): ManifestEntry[][] {
  const { recipe, labelsPerClass, labelDraws: count = 1 } = options;
  requireLabelInEveryClass(labelled, classes);
  const training = labelled.filter(({ split }) => split === 'train');
  if (labelsPerClass === undefined) {
    if (count === 1) return [training];
    throw new ChronotopeError('label-draws', `${count} label draws, but nothing to draw: all labels are used`, {
      hint: 'Say how many labels of each class to draw, with --labels-per-class.',
    });
  }
  return Array.from({ length: count }, (_, draw) =>
    drawLabels(training, { perClass: labelsPerClass, seed: recipe.seed, draw }),
  );
}
