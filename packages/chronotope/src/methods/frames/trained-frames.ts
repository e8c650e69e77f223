import type { FramesRecipe } from '../../recipes/frames.js';
import type { FineTuning } from '../fine-tuning.js';
import type { TrainedMethod } from '../trained-method.js';
import { newFrameClassifier } from './frame-classifier.js';
import { CLASSIFIER, testLoader } from './pipeline.js';
import { trainingPlan } from './view-plans.js';

/** What a run of `frames` leaves: one classifier. */
export function trainedFrames(recipe: FramesRecipe): TrainedMethod {
  return {
    stages: [CLASSIFIER],
    title: () => `classifier, ${recipe.training.trunk} ${recipe.model.backbone}`,
    mainStage: CLASSIFIER,
    isShared: () => true,
    folderName: (stage) => stage,
    newNetwork: (_, classes) => {
      const module = newFrameClassifier(recipe, classes);
      return { module, backbone: module.backbone };
    },
    testLoader: (source, views) => testLoader(recipe, source, views),
    fineTuning: () => fineTuning(recipe),
  };
}

/** Clips, batch, dropout and weight decay are those of the training; the rest is ours, as for CCL. */
function fineTuning(recipe: FramesRecipe): FineTuning {
  const { batch, dropout, weightDecay, epochs, clipsPerVideo } = recipe.training;
  const length = { epochs: epochs * clipsPerVideo, leastSteps: 300 };
  return {
    plan: trainingPlan(recipe),
    dropout,
    settings: { length, batch, learningRate: 0.001, backboneFactor: 0.1, weightDecay },
  };
}
