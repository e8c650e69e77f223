import { ClipVideo } from '../../models/space-time/clip-video.js';
import type { LssRecipe } from '../../recipes/lss.js';
import type { FineTuning } from '../fine-tuning.js';
import type { TrainedMethod, TrainedNetwork } from '../trained-method.js';
import { type DistilledNetwork, newNetwork } from './networks.js';
import { scaledRate } from './optimisation.js';
import { NETWORK_STAGES, type NetworkStage, SELF_DISTILLATION, STAGE_TITLES } from './pipeline.js';
import { fineTuningPlan, testLoader } from './views.js';

/** What a run of LSS leaves: networks that no label had a part in. */
export function trainedLss(recipe: LssRecipe): TrainedMethod {
  return {
    stages: NETWORK_STAGES,
    title: (stage) => STAGE_TITLES[stage as NetworkStage],
    mainStage: 'teacher',
    isShared: () => true,
    folderName: (stage) => stage,
    trainedIn: (stage) => (stage === 'start' ? undefined : { stage: SELF_DISTILLATION, prefix: `${stage}.` }),
    newNetwork: () => {
      const module = newNetwork(recipe);
      return { module, backbone: module.backbone, ...languageOf(module, recipe) };
    },
    testLoader: (source, views) => testLoader(recipe, source, views),
    fineTuning: () => fineTuning(recipe),
  };
}

/**
 * Neither LSS nor SVT has published how it is fine-tuned. Batch, weight decay and the rate of the backbone are those of
 * the training, 20 epochs those of SVT's linear probe; the rate of the linear layer and the least steps are ours.
 */
function fineTuning(recipe: LssRecipe): FineTuning {
  const { batch, learningRate: rate, weightDecay } = recipe.train;
  const learningRate = 0.001;
  return {
    plan: fineTuningPlan(recipe),
    dropout: 0,
    settings: {
      length: { epochs: 20, leastSteps: 300 },
      ...{ batch, learningRate, backboneFactor: scaledRate(rate, batch) / learningRate, weightDecay },
    },
  };
}

/**
 * A network that started from a CLIP stays in the space of its texts, which is the point of LSS. The text tower is not
 * trained, and so not saved with the run.
 */
function languageOf({ backbone }: DistilledNetwork, { model, head }: LssRecipe): Pick<TrainedNetwork, 'language'> {
  if (!(backbone instanceof ClipVideo) || model.pretrained === null || head.kind === 'dino') return {};
  return { language: { clip: { file: model.pretrained }, embed: (clips) => backbone.embed(clips) } };
}
