import { noGrad, optim, scope, stack, type Tensor } from '@chronotope/torch';
import { balancedLoss, focalLoss } from '../../losses/tracking.js';
import type { SiamFC } from '../../models/siamfc.js';
import type { TrackerRecipe } from '../../recipes/tracker.js';
import type { FitOptions, StepLoss } from '../../training/fit.js';
import type { Schedule } from '../../training/schedule.js';
import { labelMap } from './labels.js';
import { trainingViewSettings } from './networks.js';
import type { PairBatch, PairLoader } from './pair-loader.js';

/** What of {@link FitOptions} the method decides. */
type Training = Pick<FitOptions<PairBatch>, 'steps' | 'optimizer' | 'schedule' | 'batch' | 'loss'>;

const SGD_MOMENTUM = 0.9;

/** Training on pairs: the response must be high where the object of the exemplar is in the search image. */
export function siamfcTraining(network: SiamFC, loader: PairLoader, recipe: TrackerRecipe): Training {
  const { pairs } = recipe;
  const { learningRate: lr, weightDecay, optimizer } = pairs;
  const trained = network.trainable();
  return {
    steps: pairs.epochs * loader.stepsPerEpoch,
    optimizer:
      optimizer === 'adam'
        ? new optim.Adam(trained, { lr, weightDecay })
        : new optim.SGD(trained, { lr, weightDecay, momentum: SGD_MOMENTUM }),
    schedule: learningRateSchedule(pairs, loader.stepsPerEpoch),
    batch: (step) => loader.stepBatch(step),
    loss: ({ exemplars, searches, offsets, ids }): StepLoss => {
      const response = network.call(exemplars, searches);
      const label = responseLabels(response, offsets, recipe);
      return { loss: lossOf(response, label, pairs), metrics: { hits: shareOfHits(response, label) }, ids };
    },
  };
}

/** The factor of the learning rate, which changes after each epoch only. */
export function learningRateSchedule(pairs: TrackerRecipe['pairs'], stepsPerEpoch: number): Schedule {
  const { schedule, learningRate, lastLearningRate, milestones, epochs } = pairs;
  const epochOf = (step: number) => Math.floor(step / stepsPerEpoch);
  switch (schedule) {
    case 'exponential': {
      const factor = (lastLearningRate / learningRate) ** (1 / epochs);
      return (step) => factor ** epochOf(step);
    }
    case 'step':
      return (step) => 0.1 ** milestones.filter((epoch) => epoch <= epochOf(step)).length;
    case 'fixed':
      return () => 1;
  }
}

/** The label map of each pair, `[N, 1, h, w]`. */
function responseLabels(response: Tensor, offsets: PairBatch['offsets'], recipe: TrackerRecipe): Tensor {
  const [, , height, width] = response.shape as [number, number, number, number];
  const { positiveRadius, ignoredRadius } = recipe.pairs;
  const { stride } = trainingViewSettings(recipe);
  const radii = { positive: positiveRadius / stride, ignored: ignoredRadius / stride };
  const labels = offsets.map(([x, y]) => labelMap(height, width, { ...radii, centre: [x / stride, y / stride] }));
  return stack(labels).unsqueeze(1).to({ device: response.device });
}

function lossOf(response: Tensor, label: Tensor, { loss, gamma, negativeWeight }: TrackerRecipe['pairs']): Tensor {
  return loss === 'focal' ? focalLoss(response, label, { gamma }) : balancedLoss(response, label, { negativeWeight });
}

/** Share of the pairs whose largest response is at a positive place. */
function shareOfHits(response: Tensor, label: Tensor): Tensor {
  return noGrad(() =>
    scope(() => {
      const places = response.flatten({ startDim: 1 }).argmax(1, { keepdim: true });
      return label.flatten({ startDim: 1 }).gather(1, places).eq(1).to({ dtype: 'float32' }).mean();
    }),
  );
}
