import { existsSync } from 'node:fs';
import { ChronotopeError } from '../errors.js';
import { newClassifier, newPretextModel } from '../methods/timebalance/networks.js';
import {
  type ClassifierStage,
  classifierStages,
  isPretraining,
  type PretrainingStage,
  pretrainingStages,
  stageName,
} from '../methods/timebalance/stages.js';
import { loadRecipe } from '../recipes/load.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import { loadModel } from '../training/checkpoint.js';
import type { StageFolder } from '../training/stage-folder.js';
import type { RunFolder } from './run-folder.js';

/** A stage with a network whose features can be looked at. */
export type NetworkStage = PretrainingStage | ClassifierStage;

type Classifier = ReturnType<typeof newClassifier>;

/** The stages with a network of a run with this recipe, in the order of training. */
export function networkStages(recipe: TimeBalanceRecipe): NetworkStage[] {
  return [...pretrainingStages(recipe), ...classifierStages(recipe)];
}

/**
 * The classifier of a finished stage, to be disposed by the caller.
 *
 * @throws ChronotopeError `stage-missing`, `checkpoint-differs`
 */
export function loadClassifier(
  run: RunFolder,
  recipe: TimeBalanceRecipe,
  { stage, draw }: { stage: ClassifierStage; draw: number },
): Classifier {
  const folder = finishedStage(run, stageName(draw, stage));
  const model = newClassifier(recipe, run.description.classes.length, { dropout: 0 });
  loadModel(folder, model);
  return model;
}

/**
 * Gives the classifier of a finished stage to `use`, and frees it afterwards.
 *
 * @throws ChronotopeError `stage-missing`
 */
export function withClassifier<T>(
  run: RunFolder,
  recipe: TimeBalanceRecipe,
  which: { stage: ClassifierStage; draw: number },
  use: (model: Classifier) => T,
): T {
  const model = loadClassifier(run, recipe, which);
  try {
    return use(model);
  } finally {
    model.dispose();
  }
}

/**
 * Gives the backbone of a finished stage to `use`, and frees it afterwards.
 *
 * @throws ChronotopeError `stage-missing`
 */
export function withBackbone<T>(
  run: RunFolder,
  recipe: TimeBalanceRecipe,
  { stage, draw }: { stage: NetworkStage; draw: number },
  use: (backbone: Classifier['backbone']) => T,
): T {
  if (!isPretraining(stage)) return withClassifier(run, recipe, { stage, draw }, ({ backbone }) => use(backbone));
  const model = newPretextModel(recipe, 'joint');
  try {
    loadModel(finishedStage(run, stage), model);
    return use(model.backbone);
  } finally {
    model.dispose();
  }
}

/**
 * A finished stage with a network.
 *
 * @throws ChronotopeError `stage-missing`
 */
export function finishedStage(run: RunFolder, name: string): StageFolder {
  const folder = run.stage(name);
  if (folder.isDone && existsSync(folder.modelFile)) return folder;
  const trained = networkStages(loadRecipe(run.path('recipe.yaml')));
  const isOfRun = trained.some((stage) => name === stage || name.endsWith(`/${stage}`));
  throw new ChronotopeError('stage-missing', `${run.folder} has no finished stage ${folder.name}`, {
    hint: isOfRun
      ? 'Continue the run with the `chronotope train` command that started it.'
      : `With its recipe, the run trains ${trained.join(', ')}.`,
  });
}
