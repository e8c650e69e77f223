import { contentHash } from '../../data/index/content-hash.js';
import type { ManifestEntry } from '../../data/manifest.js';
import { readDataset } from '../../data/readers/read-dataset.js';
import { trackingSequences } from '../../data/tracking-sequences.js';
import { ChronotopeError } from '../../errors.js';
import { TRACKER_STAGE, trainSiamFC } from '../../methods/siamfc/pipeline.js';
import type { TrackerRecipe } from '../../recipes/tracker.js';
import { type Progress, silentProgress } from '../../training/progress.js';
import { openRun } from '../start-run.js';
import { weightsFile } from '../weights-file.js';

/** Settings of {@link trainTracker}. */
export interface TrainTrackerOptions {
  /** Sequences in GOT-10k's layout, or a manifest with boxes; the `train` part is used. */
  data: string;
  recipe: TrackerRecipe;
  /** The run folder: new, empty, or of the same run, which is then continued. */
  out: string;
  /** How much work a kill may cost, in seconds. Default 60. */
  saveEverySeconds?: number;
  progress?: Progress;
  signal?: AbortSignal;
}

/**
 * Trains a SiamFC tracker on sequences of images, in a run folder like those of every method.
 *
 * @throws ChronotopeError those of `readDataset`; `no-sequences`, `no-training-sequences`, `weights-missing`,
 *   `weights-differ`, `too-few-pairs`, `run-differs`, `interrupted`
 */
export async function trainTracker(options: TrainTrackerOptions): Promise<void> {
  const { data, recipe, progress = silentProgress, signal, saveEverySeconds } = options;
  const { entries, notes } = await readDataset(data);
  for (const note of notes) progress.note(`  note: ${note}`);
  const training = entries.filter(({ split }) => split === 'train');
  if (training.length === 0) throw noTraining(data, entries);
  const sequences = trackingSequences(training, data);
  const weights = recipe.model.pretrained === null ? null : weightsFile(recipe.model.pretrained);
  const hash = weights === null ? null : await contentHash(weights, signal);
  const origin = hash === null ? undefined : { what: 'weights to start from', hash };
  // Boxes of thousands of sequences have no place in the list of what a run was trained on.
  const listed = training.map(({ tracking: _, ...entry }) => entry);
  const videos = { classes: [], training: listed, draws: [listed], test: [], choice: {} };
  const run = await openRun({ ...options, data }, recipe, videos, origin);
  const stage = run.stage(TRACKER_STAGE);
  await trainSiamFC({ recipe, sequences, weights, stage, progress, saveEverySeconds, signal });
}

function noTraining(data: string, entries: readonly ManifestEntry[]): ChronotopeError {
  const parts = [...new Set(entries.map(({ split }) => split))].join(', ');
  return new ChronotopeError('no-training-sequences', `${data} has no sequences to train on, only the part ${parts}`, {
    hint: 'Training reads the layout of GOT-10k, or a manifest whose "split" says train. OTB is for testing.',
  });
}
