import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import type { FineTuning } from '../fine-tuning.js';
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
import { viewPlan } from './view-plans.js';

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
    fineTuning: () => fineTuning(recipe),
  };
}

/** As stage B trains the teachers. */
function fineTuning(recipe: TimeBalanceRecipe): FineTuning {
  const { steps, epochs, batch, learningRate, backboneFactor, weightDecay, dropout } = recipe.teacher;
  const length = epochs === null ? { steps } : { epochs, leastSteps: 1 };
  return {
    plan: viewPlan(recipe, 'teacher'),
    dropout,
    settings: { length, batch, learningRate, backboneFactor, weightDecay },
  };
}
