import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import type { TrainedMethod } from '../trained-method.js';
import { newClassifier, newPretextModel } from './networks.js';
import { testLoader } from './run.js';
import {
  type ClassifierStage,
  classifierStages,
  isPretraining,
  type NetworkStage,
  pretrainingStages,
  stageName,
  stageTitle,
} from './stages.js';

/** What a run of TimeBalance leaves: the pre-trained networks, and the classifiers of each label draw. */
export function trainedTimeBalance(recipe: TimeBalanceRecipe): TrainedMethod {
  const isShared = (stage: string): boolean => isPretraining(stage as NetworkStage);
  return {
    stages: [...pretrainingStages(recipe), ...classifierStages(recipe)],
    title: (stage) => stageTitle(stage as NetworkStage),
    mainStage: 'student',
    isShared,
    folderName: (stage, draw) => (isShared(stage) ? stage : stageName(draw, stage as ClassifierStage)),
    newNetwork: (stage, classes) => {
      const module = isShared(stage)
        ? newPretextModel(recipe, 'joint')
        : newClassifier(recipe, classes, { dropout: 0 });
      return { module, backbone: module.backbone };
    },
    testLoader: (source, views) => testLoader(recipe, source, views),
  };
}
