import { existsSync } from 'node:fs';
import { ChronotopeError } from '../errors.js';
import { newClassifier } from '../methods/timebalance/networks.js';
import type { ClassifierStage } from '../methods/timebalance/stages.js';
import { type TrainedNetwork, trainedMethod } from '../methods/trained-method.js';
import { didYouMean } from '../recipes/nearest.js';
import type { VideoRecipe } from '../recipes/schemas.js';
import { capitalised } from '../recipes/settings.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import { loadModel } from '../training/checkpoint.js';
import type { StageFolder } from '../training/stage-folder.js';
import type { RunFolder } from './run-folder.js';

type Classifier = ReturnType<typeof newClassifier>;

/** A stage of a run with a network; the label draw counts from 0 and is of no account to stages that all share. */
export interface NetworkChoice {
  stage: string;
  draw: number;
}

/**
 * Gives the classifier of a finished stage of TimeBalance to `use`, and frees it afterwards.
 *
 * @throws ChronotopeError `stage-missing`, `checkpoint-differs`
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
 * The classifier of a finished stage of TimeBalance, to be disposed by the caller.
 *
 * @throws ChronotopeError `stage-missing`, `checkpoint-differs`
 */
export function loadClassifier(
  run: RunFolder,
  recipe: TimeBalanceRecipe,
  { stage, draw }: { stage: ClassifierStage; draw: number },
): Classifier {
  const folder = finishedStage(run, trainedMethod(recipe).folderName(stage, draw));
  const model = newClassifier(recipe, run.description.classes.length, { dropout: 0 });
  loadModel(folder, model);
  return model;
}

/**
 * Gives the network of a finished stage of any method to `use`, and frees it afterwards.
 *
 * @throws ChronotopeError `stage-unknown`, `stage-missing`, `checkpoint-differs`
 */
export function withNetwork<T>(
  run: RunFolder,
  recipe: VideoRecipe,
  { stage, draw }: NetworkChoice,
  use: (network: TrainedNetwork) => T,
): T {
  requireStages(recipe, [stage]);
  const method = trainedMethod(recipe);
  const folder = finishedStage(run, method.folderName(stage, draw));
  const network = method.newNetwork(stage, run.description.classes.length);
  try {
    loadModel(folder, network.module);
    return use(network);
  } finally {
    network.module.dispose();
  }
}

/** @throws ChronotopeError `stage-unknown` for a stage that runs of this recipe do not have */
export function requireStages(recipe: VideoRecipe, stages: readonly string[]): void {
  const known = trainedMethod(recipe).stages;
  const unknown = stages.find((stage) => !known.includes(stage));
  if (unknown === undefined) return;
  throw new ChronotopeError('stage-unknown', `runs of ${recipe.method} have no stage "${unknown}"`, {
    hint: capitalised(didYouMean(unknown, known)) ?? `Stages with a network are ${known.join(', ')}.`,
  });
}

/**
 * A finished stage with a network.
 *
 * @throws ChronotopeError `stage-missing`
 */
export function finishedStage(run: RunFolder, name: string): StageFolder {
  const folder = run.stage(name);
  if (!folder.isDone || !existsSync(folder.modelFile)) {
    throw new ChronotopeError('stage-missing', `${run.folder} has no finished stage ${folder.name}`, {
      hint: 'Continue the run with the `chronotope train` command that started it.',
    });
  }
  return folder;
}
