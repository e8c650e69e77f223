import { newSiamFC, trackerSettings } from '../../methods/siamfc/networks.js';
import { TRACKER_STAGE } from '../../methods/siamfc/pipeline.js';
import type { TrackerSettings } from '../../methods/siamfc/settings.js';
import type { SiamFC } from '../../models/siamfc.js';
import { loadModel } from '../../training/checkpoint.js';
import { RunFolder } from '../run-folder.js';
import { trackerRunRecipe } from '../run-recipe.js';
import { finishedStage } from '../trained-networks.js';

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
