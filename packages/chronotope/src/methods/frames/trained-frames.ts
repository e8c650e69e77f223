import type { FramesRecipe } from '../../recipes/frames.js';
import type { TrainedMethod } from '../trained-method.js';
import { newFrameClassifier } from './frame-classifier.js';
import { CLASSIFIER, testLoader } from './pipeline.js';

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
  };
}
