import { FrameResNet } from '../../models/frame-resnet.js';
import type { CclRecipe } from '../../recipes/ccl.js';
import type { FineTuningSettings } from '../fine-tuning.js';
import type { TrainedMethod } from '../trained-method.js';
import { newModel } from './networks.js';
import { officialState } from './official-state.js';
import { PRETRAIN, testLoader } from './pipeline.js';
import { fineTuningPlan } from './view-plans.js';

/** What a run of CCL leaves: one image encoder, which sees the frames of a clip one by one. */
export function trainedCcl(recipe: CclRecipe): TrainedMethod {
  return {
    stages: [PRETRAIN],
    title: () => `image encoder, ${recipe.objective.kind}`,
    mainStage: PRETRAIN,
    isShared: () => true,
    folderName: (stage) => stage,
    newNetwork: () => {
      const module = newModel(recipe);
      const content = () => ({
        epoch: recipe.pretrain.epochs,
        arch: recipe.model.backbone,
        state_dict: new Map([...officialState(module)].map(([key, value]) => [`module.${key}`, value])),
      });
      return {
        module,
        backbone: new FrameResNet(module.query.backbone),
        exported: module.query,
        officialCheckpoint: { format: 'moco', content },
      };
    },
    testLoader: (source, views) => testLoader(recipe, source, views),
    fineTuning: () => ({ plan: fineTuningPlan(recipe), dropout: 0.5, settings: FINE_TUNING }),
  };
}

/**
 * The published fine-tuning on UCF101 has 16 epochs of 5 clips a video, batches of 32, and Adam with a rate of 10^-4 and no
 * weight decay. Ours: the linear layer learns ten times as fast instead of alone for 5 epochs, dropout is 0.5 instead of
 * 0.9, and few videos have 300 steps.
 */
const FINE_TUNING: FineTuningSettings = {
  length: { epochs: 80, leastSteps: 300 },
  batch: 32,
  learningRate: 0.001,
  backboneFactor: 0.1,
  weightDecay: 0,
};
