import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { ChronotopeError } from '../errors.js';
import { type TrainedMethod, type TrainedNetwork, trainedMethod } from '../methods/trained-method.js';
import { importWeights } from '../models/weights/import-weights.js';
import type { VideoRecipe } from '../recipes/schemas.js';
import { loadCheckpoint, loadModel } from '../training/checkpoint.js';
import type { StageFolder } from '../training/stage-folder.js';
import type { RunFolder } from './run-folder.js';

/** A network of a run, and which weights it has. */
export interface NetworkChoice {
  stage: string;
  /** The label draw, counted from 0; of no account to stages that all draws share. */
  draw: number;
  /**
   * Weights that are not the result of the stage: the number of a step whose checkpoint was kept
   * (`training.checkpoints`), `best`, `last`, `average` or `weights` where the stage has kept that beside its result, or
   * a file of weights.
   */
  checkpoint?: string;
}

const KEPT = /^(\d+|best|last|average|weights)$/;
const KEPT_FILE = /^(?:step-(\d+)|(best|last|average|weights))\.safetensors$/;

/** How many networks a stage has in a number of label draws: a file is one network, whatever the draw. */
export function networksOf(
  method: TrainedMethod,
  { stage, checkpoint }: Omit<NetworkChoice, 'draw'>,
  draws: number,
): number {
  const isFile = checkpoint !== undefined && !KEPT.test(checkpoint);
  return isFile || method.isShared(stage) ? 1 : draws;
}

/** What a network is, for people: which stage's, and which weights if they are not the result. */
export function networkTitle(method: TrainedMethod, { stage, checkpoint }: Omit<NetworkChoice, 'draw'>): string {
  const title = method.title(stage);
  if (checkpoint === undefined) return title;
  return `${title}: ${/^\d+$/.test(checkpoint) ? `step ${checkpoint}` : path.basename(checkpoint)}`;
}

/**
 * The file of the chosen weights.
 *
 * @throws ChronotopeError `stage-missing`; `checkpoint-missing`, with the ones that were kept
 */
export function weightsFile(run: RunFolder, recipe: VideoRecipe, choice: NetworkChoice): string {
  const { stage, draw, checkpoint } = choice;
  const method = trainedMethod(recipe);
  if (checkpoint === undefined) return finishedStage(run, method.folderName(stage, draw)).modelFile;
  if (!KEPT.test(checkpoint)) {
    if (existsSync(checkpoint)) return checkpoint;
    throw new ChronotopeError('checkpoint-missing', `there is no file ${checkpoint}`, {
      hint: `Give a file of weights, or one of those that the run has kept: ${keptIn(folderOf(run, method, choice))}.`,
    });
  }
  const folder = folderOf(run, method, choice);
  const name = /^\d+$/.test(checkpoint) ? `step-${checkpoint}` : checkpoint;
  const file = path.join(folder, `${name}.safetensors`);
  if (existsSync(file)) return file;
  throw new ChronotopeError('checkpoint-missing', `${folder} has no ${name}.safetensors`, {
    hint: `It has kept ${keptIn(folder)}. --set training.checkpoints.every=<steps> in training keeps some.`,
  });
}

/** Where the checkpoints of a network are: in the folder of its stage, or of the one that trains it among others. */
function folderOf(run: RunFolder, method: TrainedMethod, { stage, draw }: NetworkChoice): string {
  return run.stage(method.trainedIn?.(stage)?.stage ?? method.folderName(stage, draw)).folder;
}

function keptIn(folder: string): string {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const found = names.flatMap((name) => {
    const [, step, other] = KEPT_FILE.exec(name) ?? [];
    return step ?? other ?? [];
  });
  const ordered = found.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return ordered.length === 0 ? 'none' : ordered.join(', ');
}

/**
 * Loads the chosen weights into a network that was newly made.
 *
 * @param required of files of other programs (docs/models.md): the `backbone` (default), or `all`
 * @throws ChronotopeError `stage-missing`, `checkpoint-missing`, `checkpoint-differs`, `weights-differ`; TorchError `io`
 */
export function loadWeights(
  run: RunFolder,
  recipe: VideoRecipe,
  choice: NetworkChoice,
  { module, exported = module }: Pick<TrainedNetwork, 'module' | 'exported'>,
  required: 'backbone' | 'all' = 'backbone',
): void {
  const { stage, draw, checkpoint } = choice;
  const method = trainedMethod(recipe);
  const file = weightsFile(run, recipe, choice);
  if (checkpoint === undefined) loadModel(run.stage(method.folderName(stage, draw)), module);
  else if (!loadCheckpoint(file, module, method.trainedIn?.(stage)))
    importWeights(exported, file, { require: required });
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
