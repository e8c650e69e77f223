import { noGrad, optim, type Tensor } from '@chronotope/torch';
import type { Batch, ClipLoader } from '../../data/loader.js';
import type { CclRecipe } from '../../recipes/ccl.js';
import { byEpoch, cosineEpochs, milestoneEpochs } from '../../training/epoch-schedule.js';
import type { FitOptions, StepLoss } from '../../training/fit.js';
import { drawStep } from './draws.js';
import type { CclModel } from './model.js';
import { stepSettings } from './settings.js';
import { cclStep, type StepImages, type StepResult } from './step.js';

/** A batch, or a part of one, and its number. */
interface Part extends Batch {
  index: number;
}

/** The part of {@link FitOptions} that a method decides. */
export interface Training extends Pick<FitOptions<Part>, 'steps' | 'optimizer' | 'schedule' | 'batch' | 'loss'> {
  /** Where the batches come from. */
  loaders: readonly ClipLoader[];
}

/** Pre-training of the query encoder (CCL's note 5). The loader gives the parts of each step's batch. */
export function pretraining(model: CclModel, loader: ClipLoader, recipe: CclRecipe, ids: readonly string[]): Training {
  const { epochs, batch, learningRate: lr, momentum, weightDecay, schedule, milestones } = recipe.pretrain;
  // Officially an epoch leaves out what does not fill a batch; here batches run on into the next epoch.
  const stepsPerEpoch = Math.max(1, Math.floor(loader.videos / batch));
  const factor = schedule === 'cosine' ? cosineEpochs(epochs) : milestoneEpochs(milestones);
  const settings = stepSettings(recipe, ids.length);
  const numberOf = new Map(ids.map((id, number) => [id, number]));
  const cycleQueue = model.cycleQueue ?? model.queue;
  const { accumulate } = recipe.training;
  return {
    steps: epochs * stepsPerEpoch,
    optimizer: new optim.SGD(model.query.parameters(), { lr, momentum, weightDecay }),
    schedule: byEpoch(factor, stepsPerEpoch),
    loaders: [loader],
    batch: (index) => ({ ...loader.stepBatch(index), index }),
    loss: ({ views, ids, index }): StepLoss => {
      const images = imagesOf(
        views,
        ids.map((id) => numberOf.get(id)!),
      );
      const candidates = images.candidates?.shape[0] ?? 0;
      const draws = drawStep(recipe.seed, index, {
        videos: ids.length,
        candidates,
        queue: settings.cycleWeight === 0 ? 0 : cycleQueue.length,
        images: ids.length * (1 + candidates),
      });
      const place = index % accumulate;
      const part = { isFirst: place === 0, isLast: place === accumulate - 1 };
      const result = cclStep(model, images, draws, settings, part);
      return { loss: result.loss, metrics: metricsOf(result), ids };
    },
  };
}

/** Takes the time axis off single frames. */
function imagesOf({ query, key, candidates }: Batch['views'], videos: readonly number[]): StepImages {
  return {
    query: query!.squeeze(2),
    key: key!.squeeze(2),
    candidates: candidates?.squeeze(3) ?? null,
    videos,
  };
}

/**
 * What tells whether it goes well: both losses, the share of queries whose positive comes first, and how the neighbours
 * are made up: mean of the largest weight, and exp(entropy), the number of entries that effectively share the weight.
 */
function metricsOf({ intra, cycle }: StepResult): Record<string, Tensor> {
  return noGrad(() => ({
    ...(intra && { intra: intra.loss, found: shareFirst(intra.logits) }),
    ...(cycle && {
      cycle: cycle.loss,
      returned: shareFirst(cycle.logits),
      largestWeight: cycle.weights.amax([1]).mean(),
      effectiveNeighbours: effectiveNumber(cycle.weights).mean(),
    }),
  }));
}

function shareFirst(logits: Tensor): Tensor {
  return logits.argmax(1).eq(0).to({ dtype: 'float32' }).mean();
}

/** exp(−Σ α log α) of each row. */
function effectiveNumber(weights: Tensor): Tensor {
  return weights
    .mul(weights.clamp({ min: 1e-12 }).log())
    .sum(1)
    .neg()
    .exp();
}
