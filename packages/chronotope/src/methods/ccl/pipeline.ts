import { manualSeed } from '@chronotope/torch';
import { ClipLoader } from '../../data/loader.js';
import { ChronotopeError } from '../../errors.js';
import type { CclRecipe } from '../../recipes/ccl.js';
import { shard } from '../../training/processes.js';
import { PLAIN_TRAINING, partOfBatch } from '../../training/settings.js';
import { trainStage } from '../../training/train-stage.js';
import type { RepresentationRun } from '../method-run.js';
import type { TestSource, TestViews } from '../trained-method.js';
import { newModel, startFromGivenWeights } from './networks.js';
import { arePictures, checkQueues, usesCandidates } from './settings.js';
import { pretraining } from './training.js';
import { evaluationPlan, pretrainPlan } from './view-plans.js';

/** The only stage of a run. */
export const PRETRAIN = 'pretrain';

/** What the pipeline works with. */
export interface CclRun extends Omit<RepresentationRun<CclRecipe>, 'classes'> {
  /** With its queue lengths; see `withQueueLengths`. */
  recipe: CclRecipe;
}

/**
 * Trains an image encoder on unlabelled videos. A finished stage is left as it is.
 *
 * @throws ChronotopeError those of `checkQueues`; `one-frame`, when no video has a second frame to compare with
 */
export async function runCcl(run: CclRun): Promise<void> {
  const { recipe, videos, reader, workers, device, progress, saveEverySeconds, signal } = run;
  const ids = videos.map(({ id }) => id);
  checkQueues(recipe, ids);
  checkFrames(run);
  manualSeed(recipe.seed);
  const model = newModel(recipe).to({ device });
  await trainStage(run.stage(PRETRAIN), model, () => {
    startFromGivenWeights(model, recipe);
    const loader = new ClipLoader({
      // Nothing is learnt from labels, and what has none shall train as well.
      entries: videos.map((video) => ({ ...video, label: null })),
      classes: [],
      reader,
      plan: pretrainPlan(recipe, arePictures(recipe, videos)),
      size: recipe.inputSize,
      batchSize: partOfBatch(recipe.pretrain.batch, recipe.training),
      seed: recipe.seed,
      workers,
      device,
      shard: shard(),
    });
    for (const { id, reason } of loader.excluded) progress.note(`  left out: ${id}: ${reason}`);
    const training = pretraining(model, loader, recipe, ids);
    const settings = { ...PLAIN_TRAINING, ...recipe.training };
    const title = `pre-training, ${recipe.objective.kind}`;
    return { title, progress, signal, saveEverySeconds, settings, ...training };
  });
  model.dispose();
}

/** Where positives are other frames, some video must have them. */
function checkFrames({ recipe, videos, reader, progress }: CclRun): void {
  if (!usesCandidates(recipe) || recipe.views.framesPerVideo === 1) return;
  const single = videos.filter(({ id }) => reader.info(id).frames < 2);
  if (single.length === videos.length) {
    throw new ChronotopeError('one-frame', 'every training video has one frame only', {
      hint: 'Positives are other frames of a video: store more frames, or train with objective.kind=moco.',
      details: { videos: videos.length },
    });
  }
  if (single.length > 0)
    progress.note(`  note: ${single.length} videos have one frame only, which is its own positive`);
}

/** A loader of test clips. */
export function testLoader(recipe: CclRecipe, source: TestSource, views: TestViews = {}): ClipLoader {
  const plan = evaluationPlan(recipe, views);
  return new ClipLoader({ ...source, plan, size: recipe.inputSize, batchSize: 16, seed: recipe.seed, shuffle: false });
}
