import type { nn } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import { newClassifier } from '../methods/timebalance/networks.js';
import type { ClassifierStage } from '../methods/timebalance/stages.js';
import { type TrainedNetwork, trainedMethod } from '../methods/trained-method.js';
import { didYouMean } from '../recipes/nearest.js';
import type { VideoRecipe } from '../recipes/schemas.js';
import { capitalised } from '../recipes/settings.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import { loadWeights, type NetworkChoice } from './chosen-weights.js';
import type { RunFolder } from './run-folder.js';

type Classifier = ReturnType<typeof newClassifier>;

/**
 * Gives the classifier of a stage of TimeBalance to `use`, and frees it afterwards.
 *
 * @throws ChronotopeError those of {@link loadWeights}
 */
export function withClassifier<T>(
  run: RunFolder,
  recipe: TimeBalanceRecipe,
  which: NetworkChoice & { stage: ClassifierStage },
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
 * The classifier of a stage of TimeBalance, to be disposed by the caller.
 *
 * @throws ChronotopeError those of {@link loadWeights}
 */
export function loadClassifier(
  run: RunFolder,
  recipe: TimeBalanceRecipe,
  which: NetworkChoice & { stage: ClassifierStage },
): Classifier {
  const model = newClassifier(recipe, run.description.classes.length, { dropout: 0 });
  return orDisposed(model, () => loadWeights(run, recipe, which, { module: model }, 'all'));
}

/**
 * Gives the network of a stage of any method to `use`, and frees it afterwards.
 *
 * @throws ChronotopeError `stage-unknown`; those of {@link loadWeights}
 */
export function withNetwork<T>(
  run: RunFolder,
  recipe: VideoRecipe,
  which: NetworkChoice,
  use: (network: TrainedNetwork) => T,
): T {
  const network = loadNetwork(run, recipe, which);
  try {
    return use(network);
  } finally {
    network.module.dispose();
  }
}

/**
 * The network of a stage of any method, whose module is to be disposed by the caller.
 *
 * @throws ChronotopeError `stage-unknown`; those of {@link loadWeights}
 */
export function loadNetwork(run: RunFolder, recipe: VideoRecipe, which: NetworkChoice): TrainedNetwork {
  requireStages(recipe, [which.stage]);
  const network = trainedMethod(recipe).newNetwork(which.stage, run.description.classes.length);
  orDisposed(network.module, () => loadWeights(run, recipe, which, network));
  return network;
}

/** Loads a new module, or disposes it if that fails. */
function orDisposed<Module extends nn.Module>(module: Module, load: () => void): Module {
  try {
    load();
    return module;
  } catch (error) {
    module.dispose();
    throw error;
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
