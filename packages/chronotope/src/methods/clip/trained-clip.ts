import { FrameClip } from '../../models/clip/frame-clip.js';
import type { ClipRecipe } from '../../recipes/clip.js';
import type { FineTuning } from '../fine-tuning.js';
import type { TrainedMethod } from '../trained-method.js';
import { newClip, PRETRAIN, testLoader } from './pipeline.js';
import { trainingPlan } from './view-plans.js';

/** What a run of CLIP leaves: an image and a text tower, of which the image tower sees the frames of a clip one by one. */
export function trainedClip(recipe: ClipRecipe): TrainedMethod {
  return {
    stages: [PRETRAIN],
    title: () => 'CLIP on frames and captions',
    mainStage: PRETRAIN,
    isShared: () => true,
    folderName: (stage) => stage,
    newNetwork: () => {
      const module = newClip(recipe);
      const backbone = new FrameClip(module.visual);
      return { module, backbone, language: { clip: module, embed: (clips) => backbone.embed(clips) } };
    },
    testLoader: (source, views) => testLoader(recipe, source, views),
    fineTuning: () => fineTuning(recipe),
  };
}

/** Batch, weight decay and the rate of the backbone are those of the training; the rest is ours, as for LSS. */
function fineTuning(recipe: ClipRecipe): FineTuning {
  const { batch, learningRate: rate, weightDecay } = recipe.train;
  const learningRate = 0.001;
  return {
    plan: trainingPlan(recipe),
    dropout: 0,
    settings: {
      length: { epochs: 20, leastSteps: 300 },
      ...{ batch, learningRate, backboneFactor: rate / learningRate, weightDecay },
    },
  };
}
