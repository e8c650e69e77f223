import { createHash } from 'node:crypto';
import { availableParallelism, cpus } from 'node:os';
import { version } from '@chronotope/torch';
import { ClipReader } from '../data/clip-reader.js';
import { automaticWorkers, ClipWorkers } from '../data/clip-workers.js';
import type { ManifestEntry } from '../data/manifest.js';
import type { MethodRun } from '../methods/method-run.js';
import { formatRecipe } from '../recipes/load.js';
import type { Recipe, VideoRecipe } from '../recipes/schemas.js';
import { writeFileAtomic, writeJsonAtomic } from '../training/json-files.js';
import { firstDoes, firstThenOthers, shard } from '../training/processes.js';
import type { Progress } from '../training/progress.js';
import type { StageFolder } from '../training/stage-folder.js';
import { chosenDevice, type DeviceChoice } from './device.js';
import { withoutLaterSettings } from './later-settings.js';
import { describeChoices } from './machine-choices.js';
import { type PreparedVideos, prepareVideos, repairNote } from './prepare-videos.js';
import { type LabelChoice, writeRunData } from './run-data.js';
import { RunFolder, type RunOrigin } from './run-folder.js';
import { recordRunFrames, runFrames } from './run-frames.js';

/** Settings that decide what a run writes beside its results. */
const RECORDS = ['tensorboard', 'checkpoints'];

/** What a training of any method is started with. */
export interface StartOptions {
  /** A folder of videos, or a manifest or list; see docs/datasets.md. */
  data: string;
  /** A split file that says which videos are for training and testing, and which labels may be used. */
  split?: string;
  /** The run folder: new, empty, or of the same run, which is then continued. */
  out: string;
  /** A frame store for the decoded videos, which several runs may share. Default: in the run folder. */
  frames?: string;
  /** How much work a kill may cost, in seconds. Default 60. */
  saveEverySeconds?: number;
  /** Threads that make batches while the network trains; the results are the same. Default: {@link automaticWorkers}. */
  workers?: number;
  /** Where the networks are trained. Default `auto`: on a GPU if there is one. */
  device?: DeviceChoice;
  progress?: Progress;
  signal?: AbortSignal;
}

/** The videos of a run. */
export interface RunVideos {
  classes: string[];
  /** With every label that the data has. */
  training: ManifestEntry[];
  /** The training videos of each label draw, with the labels that are known in it. */
  draws: readonly (readonly ManifestEntry[])[];
  test: ManifestEntry[];
  choice: LabelChoice;
}

/**
 * Opens a run folder, new or to be continued, and writes down what the run is.
 *
 * @param origin what else decides the results
 * @throws ChronotopeError `run-differs`, `not-a-run-folder`
 */
export async function openRun(
  { data, out }: StartOptions,
  recipe: Recipe,
  { classes, draws, training, test, choice }: RunVideos,
  origin?: RunOrigin,
): Promise<RunFolder> {
  await firstDoes(() => {
    const run = RunFolder.createOrContinue(out, {
      method: recipe.method,
      classes,
      fingerprint: fingerprint(recipe, draws, origin?.hash),
      origin,
    });
    writeFileAtomic(run.path('recipe.yaml'), formatRecipe(recipe));
    writeJsonAtomic(run.path('environment.json'), environment());
    writeRunData(run, { folder: data, training, draws, test, choice });
  });
  return RunFolder.open(out);
}

/**
 * Decodes the training videos once, and gives what a method needs to `train`. Videos that can't be decoded are listed in
 * the run folder and left out.
 *
 * @param train gets the ids of the videos that can be used beside the run
 * @throws ChronotopeError `no-usable-videos`, `interrupted`; VideoError `disk-full`, `unwritable`; those of `train`
 */
export async function withFrames<R extends VideoRecipe>(
  run: RunFolder,
  recipe: R,
  training: readonly ManifestEntry[],
  options: StartOptions & { progress: Progress },
  train: (run: MethodRun<R>, usable: ReadonlySet<string>) => Promise<void>,
): Promise<void> {
  const { progress, signal, saveEverySeconds } = options;
  const device = chosenDevice(options.device);
  const { workers: threads = automaticWorkers(availableParallelism() / shard().worldSize) } = options;
  const choices = { device, askedDevice: options.device, workers: threads, askedWorkers: options.workers };
  for (const line of describeChoices({ ...choices, threads: recipe.training.threads })) progress.note(`  ${line}`);
  const prepared = await firstThenOthers(() => decode(run, recipe, training, options));
  const reader = new ClipReader(prepared.store, { onRepair: repairNote(progress) });
  const workers = threads === 0 ? null : new ClipWorkers(threads);
  const { classes } = run.description;
  const stage = (name: string): StageFolder => run.stage(name);
  try {
    const usable = new Set(prepared.usable.map(({ id }) => id));
    await train({ recipe, classes, reader, workers, device, stage, progress, saveEverySeconds, signal }, usable);
  } finally {
    await workers?.dispose();
    reader.dispose();
  }
}

async function decode(
  run: RunFolder,
  recipe: VideoRecipe,
  training: readonly ManifestEntry[],
  { progress, signal, data, frames }: StartOptions & { progress: Progress },
): Promise<PreparedVideos> {
  const { folder, settings } = runFrames(run, recipe, frames);
  const prepared = await prepareVideos(training, folder, settings, { progress, signal, data });
  recordRunFrames(run, folder, prepared.format);
  writeJsonAtomic(run.path('excluded.json'), prepared.excluded);
  return prepared;
}

/**
 * A hash of what decides the results of a run. Settings that recipes of earlier versions did not have count only where they
 * change something, so that runs of those versions can be continued.
 */
export function fingerprint(
  recipe: Recipe,
  draws: readonly (readonly ManifestEntry[])[],
  origin: string | undefined,
): string {
  const labels = draws.map((draw) => draw.map(({ id, label }) => [id, label]));
  // What is only written on the way decides nothing, and may be switched on when a run is continued.
  const withoutRecords = (key: string, value: unknown) => (RECORDS.includes(key) ? undefined : value);
  const decisive = withoutLaterSettings(recipe);
  return createHash('sha256')
    .update(JSON.stringify({ recipe: decisive, labels, origin }, withoutRecords))
    .digest('hex');
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
