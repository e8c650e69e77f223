import { convolutionTuning } from '@chronotope/torch';
import { newSiamFC, trackerSettings } from '../../methods/siamfc/networks.js';
import { TRACKER_STAGE } from '../../methods/siamfc/pipeline.js';
import type { TrackerSettings } from '../../methods/siamfc/settings.js';
import type { SiamFC } from '../../models/siamfc.js';
import { loadModel } from '../../training/checkpoint.js';
import { finishedStage } from '../chosen-weights.js';
import { RunFolder } from '../run-folder.js';
import { trackerRunRecipe } from '../run-recipe.js';

/** What both uses of trackers can be asked for. */
export interface TrackerSpeed {
  /**
   * Measures at the first frames which convolution algorithm is the fastest for each layer. That takes some seconds, pays for
   * long videos and large networks, and the last bits of the boxes may change from run to run. Default false.
   */
  tuned?: boolean;
}

/** Runs work with convolutions tuned, or not, and leaves them as they are by default. */
export async function withConvolutions<T>({ tuned = false }: TrackerSpeed, work: () => Promise<T>): Promise<T> {
  convolutionTuning({ enabled: tuned });
  try {
    return await work();
  } finally {
    convolutionTuning({ enabled: false });
  }
}

/** A trained tracker. */
export interface OpenTracker {
  run: RunFolder;
  /** In evaluation mode; to be disposed by the caller. */
  network: SiamFC;
  settings: TrackerSettings;
}

/**
 * Loads the tracker of a run.
 *
 * @throws ChronotopeError `not-a-run-folder`, `not-a-tracker`, `stage-missing`, `checkpoint-differs`
 */
export function openTracker(folder: string): OpenTracker {
  const run = RunFolder.open(folder);
  const recipe = trackerRunRecipe(run);
  const stage = finishedStage(run, TRACKER_STAGE);
  const network = newSiamFC(recipe);
  loadModel(stage, network);
  return { run, network: network.eval(), settings: trackerSettings(recipe) };
}
