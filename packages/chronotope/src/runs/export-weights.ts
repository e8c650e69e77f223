import { newClassifier, newPretextModel } from '../methods/timebalance/networks.js';
import { isPretraining, stageName } from '../methods/timebalance/stages.js';
import { type ExportedWeights, type ExportWeightsOptions, exportWeights } from '../models/weights/export-weights.js';
import { loadRecipe } from '../recipes/load.js';
import { loadModel } from '../training/checkpoint.js';
import { RunFolder } from './run-folder.js';
import { finishedStage, type NetworkStage } from './trained-networks.js';

export interface ExportRunOptions extends ExportWeightsOptions {
  /** Default: the student. */
  stage?: NetworkStage;
  /** Which label draw's classifier, counted from 0. Default 0. */
  draw?: number;
  /** The file: `.pth`, `.pt` or `.pth.tar` for PyTorch, else safetensors. */
  out: string;
}

/**
 * Writes the network of a finished stage under another program's keys.
 *
 * @throws ChronotopeError `not-a-run-folder`, `stage-missing`, `weights-format`
 */
export function exportRun(folder: string, options: ExportRunOptions): ExportedWeights {
  const { stage = 'student', draw = 0, out, ...format } = options;
  const run = RunFolder.open(folder);
  const recipe = loadRecipe(run.path('recipe.yaml'));
  const source = finishedStage(run, isPretraining(stage) ? stage : stageName(draw, stage));
  const model = isPretraining(stage)
    ? newPretextModel(recipe, 'per-clip')
    : newClassifier(recipe, run.description.classes.length, { dropout: 0 });
  try {
    loadModel(source, model);
    return exportWeights(model, out, format);
  } finally {
    model.dispose();
  }
}
