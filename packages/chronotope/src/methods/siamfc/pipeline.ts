import { manualSeed } from '@chronotope/torch';
import type { TrackingSequence } from '../../data/tracking-sequences.js';
import { ChronotopeError } from '../../errors.js';
import { formatWeightsReport } from '../../models/weights/report.js';
import type { TrackerRecipe } from '../../recipes/tracker.js';
import { saveModel } from '../../training/checkpoint.js';
import { shard } from '../../training/processes.js';
import type { Progress } from '../../training/progress.js';
import type { StageFolder } from '../../training/stage-folder.js';
import { trainStage } from '../../training/train-stage.js';
import { loadBackbone, newSiamFC, trainingViewSettings } from './networks.js';
import { PairLoader } from './pair-loader.js';
import { siamfcTraining } from './training.js';

/** The only stage of a tracker's run. */
export const TRACKER_STAGE = 'tracker';

/** What a tracker is trained with. */
export interface SiamFCRun {
  recipe: TrackerRecipe;
  sequences: readonly TrackingSequence[];
  /** A file with weights of the backbone, or null for random ones. */
  weights: string | null;
  stage: StageFolder;
  progress: Progress;
  saveEverySeconds?: number;
  signal?: AbortSignal;
}

/**
 * Trains a tracker, or goes on where an interrupted attempt stopped.
 *
 * @throws ChronotopeError `one-process`, `too-few-pairs`, `weights-differ`, `loss-not-finite`, `interrupted`
 */
export async function trainSiamFC(run: SiamFCRun): Promise<void> {
  const { recipe, sequences, weights, stage, progress, saveEverySeconds, signal } = run;
  if (shard().worldSize > 1) {
    throw new ChronotopeError('one-process', 'a tracker is trained by one process', {
      hint: 'Start the command without torchrun and the like; only the two small convolutions learn.',
    });
  }
  if (stage.isDone) return;
  manualSeed(recipe.seed);
  const network = newSiamFC(recipe);
  try {
    if (weights !== null) progress.note(formatWeightsReport(loadBackbone(network, weights)));
    if (recipe.pairs.epochs === 0) {
      stage.begin();
      saveModel(stage, network);
      stage.finish({ steps: 0, seconds: 0, metrics: {}, damaged: [] });
      return;
    }
    await trainStage(stage, network, () => {
      const { batch, perSequence } = recipe.pairs;
      const views = trainingViewSettings(recipe);
      const loader = new PairLoader(sequences, { views, batch, perSequence, seed: recipe.seed });
      if (loader.leftOut.length > 0) {
        progress.note(`  note: left out for want of two usable boxes: ${loader.leftOut.length} sequences`);
      }
      const title = 'tracker';
      return { ...siamfcTraining(network, loader, recipe), title, progress, saveEverySeconds, signal };
    });
  } finally {
    network.dispose();
  }
}
