import { newClassifier, newPretextModel } from '../methods/timebalance/networks.js';
import { CLASSIFIER_STAGES, type ClassifierStage, PRETRAINING_STAGES } from '../methods/timebalance/pipeline.js';
import { type ExportedWeights, type ExportWeightsOptions, exportWeights } from '../models/weights/export-weights.js';
import { loadRecipe } from '../recipes/load.js';
import { loadModel } from '../training/checkpoint.js';
import { finishedNetwork, finishedStage } from './evaluate.js';
import { RunFolder } from './run-folder.js';

type PretrainingStage = (typeof PRETRAINING_STAGES)[number];

/** The stages whose networks can be exported. */
export const EXPORTED_STAGES: readonly (ClassifierStage | PretrainingStage)[] = [
  ...PRETRAINING_STAGES,
  ...CLASSIFIER_STAGES,
];

export interface ExportRunOptions extends ExportWeightsOptions {
  /** Default: the student. */
  stage?: ClassifierStage | PretrainingStage;
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
  const isPretraining = PRETRAINING_STAGES.find((name) => name === stage);
  const source = isPretraining
    ? finishedNetwork(run, isPretraining)
    : finishedStage(run, draw, stage as ClassifierStage);
  const model = isPretraining
    ? newPretextModel(recipe, 'per-clip')
    : newClassifier(recipe, run.description.classes.length, { dropout: 0 });
  try {
    loadModel(source, model);
    return exportWeights(model, out, format);
  } finally {
    model.dispose();
  }
}
