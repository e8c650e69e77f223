import { createHash } from 'node:crypto';
import { cpus } from 'node:os';
import { version } from '@chronotope/torch';
import { ClipReader } from '../data/clip-reader.js';
import { automaticWorkers, ClipWorkers } from '../data/clip-workers.js';
import { drawLabels, labelsFromFile, requireLabelInEveryClass } from '../data/label-split.js';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { checkNetwork } from '../methods/timebalance/networks.js';
import { runTimeBalance } from '../methods/timebalance/pipeline.js';
import { formatWeightsReport } from '../models/weights/report.js';
import { formatRecipe } from '../recipes/load.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import { writeFileAtomic, writeJsonAtomic } from '../training/json-files.js';
import { type Progress, silentProgress } from '../training/progress.js';
import { adoptPretraining } from './adopt-pretraining.js';
import { evaluateRun, type RunEvaluation } from './evaluate.js';
import { prepareVideos, repairNote } from './prepare-videos.js';
import { writeRunData } from './run-data.js';
import { RunFolder } from './run-folder.js';
import { recordRunFrames, runFrames } from './run-frames.js';
import { readTrainingData, type TrainingData } from './training-data.js';

/** Settings of {@link trainTimeBalance}. */
export interface TrainOptions {
  /** A folder of class folders, with `_unlabelled/` and `_test/` where there are such videos; or a manifest or list. */
  data: string;
  /** A split file that says which videos are for training and testing, and which labels may be used. */
  split?: string;
  /** The run folder: new, empty, or of the same run, which is then continued. */
  out: string;
  recipe: TimeBalanceRecipe;
  /** Hides all but this many labels of each class. */
  labelsPerClass?: number;
  /** How many times such labels are drawn; the draws share one pre-training. Default 1. */
  labelDraws?: number;
  /** A CSV file `path,label` with the labels to use; all others are hidden. */
  labelsFile?: string;
  /** Another run whose pre-trained networks are taken over instead of being trained: more labels, same videos. */
  pretrained?: string;
  /** A frame store for the decoded videos, which several runs may share. Default: in the run folder. */
  frames?: string;
  /** How much work a kill may cost, in seconds. Default 60. */
  saveEverySeconds?: number;
  /**
   * Threads that make batches while the network trains; they change nothing about the results. Default: see
   * `automaticWorkers`.
   */
  workers?: number;
  progress?: Progress;
  signal?: AbortSignal;
}

/**
 * Trains TimeBalance and its baselines on a folder of videos.
 *
 * @returns the accuracies on the test videos, or null when there are none
 */
export async function trainTimeBalance(options: TrainOptions): Promise<RunEvaluation | null> {
  const { data, out, recipe, pretrained, progress = silentProgress, signal } = options;
  const found = await readTrainingData(data, options.split);
  for (const note of found.notes) progress.note(`  note: ${note}`);
  const weights = checkNetwork(recipe);
  if (weights) progress.note(formatWeightsReport(weights));
  const draws = labelDraws(found, options);
  const run = RunFolder.createOrContinue(out, {
    method: recipe.method,
    classes: found.classes,
    fingerprint: fingerprint(recipe, draws, pretrained),
  });
  if (pretrained !== undefined) adoptPretraining(RunFolder.open(pretrained), run, recipe);
  writeFileAtomic(run.path('recipe.yaml'), formatRecipe(recipe));
  writeJsonAtomic(run.path('environment.json'), environment());
  const training = found.entries.filter(({ split }) => split === 'train');
  const choice = { labelsPerClass: options.labelsPerClass, labelsFile: options.labelsFile, pretrained };
  writeRunData(run, { folder: data, training, draws, test: testEntries(found.entries), choice });

  const frames = runFrames(run, recipe, options.frames);
  const { store, format, usable, excluded } = await prepareVideos(training, frames.folder, frames.settings, {
    progress,
    signal,
  });
  recordRunFrames(run, frames.folder, format);
  writeJsonAtomic(run.path('excluded.json'), excluded);
  const usableIds = new Set(usable.map(({ id }) => id));
  const usableDraws = draws.map((draw) => draw.filter(({ id }) => usableIds.has(id)));
  for (const draw of usableDraws) requireLabelInEveryClass(draw, found.classes);

  const reader = new ClipReader(store, { onRepair: repairNote(progress) });
  const { workers: threads = automaticWorkers() } = options;
  const workers = threads === 0 ? null : new ClipWorkers(threads);
  await runTimeBalance({
    recipe,
    classes: found.classes,
    draws: usableDraws,
    reader,
    workers,
    stage: (name) => run.stage(name),
    progress,
    saveEverySeconds: options.saveEverySeconds,
    signal,
  }).finally(async () => {
    await workers?.dispose();
    reader.dispose();
  });
  return testEntries(found.entries).length === 0 ? null : evaluateRun(out, { progress, signal });
}

/** The training videos of each draw, with the labels that are known in it. */
function labelDraws({ entries, classes }: TrainingData, options: TrainOptions): ManifestEntry[][] {
  const { recipe, labelsPerClass, labelDraws: count = 1, labelsFile } = options;
  const all = labelsFile === undefined ? entries : labelsFromFile(entries, labelsFile);
  requireLabelInEveryClass(all, classes);
  const training = all.filter(({ split }) => split === 'train');
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

function testEntries(entries: readonly ManifestEntry[]): ManifestEntry[] {
  return entries.filter(({ split }) => split === 'test');
}

function fingerprint(
  recipe: TimeBalanceRecipe,
  draws: readonly (readonly ManifestEntry[])[],
  pretrained: string | undefined,
): string {
  const labels = draws.map((draw) => draw.map(({ id, label }) => [id, label]));
  const origin = pretrained === undefined ? undefined : RunFolder.open(pretrained).description.fingerprint;
  return createHash('sha256').update(JSON.stringify({ recipe, labels, origin })).digest('hex');
}

function environment(): Record<string, unknown> {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model,
    cores: cpus().length,
    ...version(),
  };
}
