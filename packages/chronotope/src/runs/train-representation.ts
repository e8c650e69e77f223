import type { ManifestEntry } from '../data/manifest.js';
import type { Recipe } from '../recipes/schemas.js';
import { heard, withProcesses } from '../training/processes.js';
import type { Progress } from '../training/progress.js';
import { type MethodRun, openRun, type StartOptions, withFrames } from './start-run.js';
import { readVideos } from './training-data.js';

/** What a method that needs no labels trains with. */
export interface RepresentationRun<R extends Recipe> extends MethodRun<R> {
  /** The training videos; labels that the data happen to have are there, and not for learning. */
  videos: readonly ManifestEntry[];
}

/**
 * Trains a method that learns from videos alone, in a run folder like those of every method. Classes and labels of the
 * data, if there are any, are kept for evaluating the features later.
 *
 * @param learn the method
 * @throws ChronotopeError those of `readDataset`; `no-usable-videos`, `run-differs`, `interrupted`, and those of `learn`
 */
export function trainRepresentation<R extends Recipe>(
  options: StartOptions & { recipe: R },
  learn: (run: RepresentationRun<R>) => Promise<void>,
): Promise<void> {
  return withProcesses(() => train({ ...options, progress: heard(options.progress) }, learn));
}

async function train<R extends Recipe>(
  options: StartOptions & { recipe: R; progress: Progress },
  learn: (run: RepresentationRun<R>) => Promise<void>,
): Promise<void> {
  const { recipe, data, split, progress } = options;
  const { entries, classes, notes } = await readVideos(data, split);
  for (const note of notes) progress.note(`  note: ${note}`);
  const training = entries.filter((entry) => entry.split === 'train');
  const test = entries.filter((entry) => entry.split === 'test');
  const run = await openRun(options, recipe, { classes, training, draws: [training], test, choice: {} });
  await withFrames(run, recipe, training, options, (methodRun, usable) =>
    learn({ ...methodRun, videos: training.filter(({ id }) => usable.has(id)) }),
  );
}
