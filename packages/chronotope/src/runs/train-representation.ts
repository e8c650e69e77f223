import type { ManifestEntry } from '../data/manifest.js';
import type { RepresentationRun } from '../methods/method-run.js';
import type { VideoRecipe } from '../recipes/schemas.js';
import { heard, withProcesses } from '../training/processes.js';
import type { Progress } from '../training/progress.js';
import type { RunOrigin } from './run-folder.js';
import { openRun, type StartOptions, withFrames } from './start-run.js';
import { readVideos } from './training-data.js';

/** Settles what a recipe leaves open, and refuses what cannot work, before the run begins. */
export type Settle<R extends VideoRecipe> = (recipe: R, videos: readonly ManifestEntry[], progress: Progress) => R;

/** What else decides the results of a run: known beforehand, or from the training videos. */
type Origin = RunOrigin | ((training: readonly ManifestEntry[]) => RunOrigin);

/**
 * Trains a method that learns from videos alone, in a run folder like those of every method. Classes and labels of the
 * data, if there are any, are kept for evaluating the features later.
 *
 * @param options.origin what else decides the results, as far as the training videos themselves do not tell
 * @param learn the method
 * @param settle default: the recipe as it is
 * @throws ChronotopeError those of `readDataset`; `no-usable-videos`, `run-differs`, `interrupted`, and those of `learn`
 */
export function trainRepresentation<R extends VideoRecipe>(
  options: StartOptions & { recipe: R; origin?: Origin },
  learn: (run: RepresentationRun<R>) => Promise<void>,
  settle: Settle<R> = (recipe) => recipe,
): Promise<void> {
  return withProcesses(() => train({ ...options, progress: heard(options.progress) }, learn, settle));
}

async function train<R extends VideoRecipe>(
  options: StartOptions & { recipe: R; origin?: Origin; progress: Progress },
  learn: (run: RepresentationRun<R>) => Promise<void>,
  settle: Settle<R>,
): Promise<void> {
  const { data, split, origin, progress } = options;
  const { entries, classes, notes } = await readVideos(data, split);
  for (const note of notes) progress.note(`  note: ${note}`);
  const training = entries.filter((entry) => entry.split === 'train');
  const test = entries.filter((entry) => entry.split === 'test');
  const recipe = settle(options.recipe, training, progress);
  const videos = { classes, training, draws: [training], test, choice: {} };
  const run = await openRun(options, recipe, videos, typeof origin === 'function' ? origin(training) : origin);
  await withFrames(run, recipe, training, options, (methodRun, usable) =>
    learn({ ...methodRun, videos: training.filter(({ id }) => usable.has(id)) }),
  );
}
