import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import type { TrainedMethod } from '../trained-method.js';
import { newClassifier, newPretextModel } from './networks.js';
import {
  CLASSIFIER_STAGES,
  type ClassifierStage,
  PRETRAINING_STAGES,
  STAGE_TITLES,
  stageName,
  testLoader,
} from './pipeline.js';

/** What a run of TimeBalance leaves: three pre-trained networks, and the classifiers of each label draw. */
export function trainedTimeBalance(recipe: TimeBalanceRecipe): TrainedMethod {
  const isShared = (stage: string): boolean => (PRETRAINING_STAGES as readonly string[]).includes(stage);
  return {
    stages: [...PRETRAINING_STAGES, ...CLASSIFIER_STAGES],
    title: (stage) => STAGE_TITLES[stage as keyof typeof STAGE_TITLES],
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
