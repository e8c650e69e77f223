import { savePth, scope } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import { type OfficialCheckpoint, trainedMethod } from '../methods/trained-method.js';
import {
  type ExportedWeights,
  type ExportWeightsOptions,
  exportWeights,
  isPth,
} from '../models/weights/export-weights.js';
import { RunFolder } from './run-folder.js';
import { runRecipe } from './run-recipe.js';
import { withNetwork } from './trained-networks.js';

export interface ExportRunOptions extends ExportWeightsOptions {
  /** Default: the method's main one, such as the student. */
  stage?: string;
  /** Which label draw's classifier, counted from 0. Default 0. */
  draw?: number;
  /** The file: `.pth`, `.pt` or `.pth.tar` for PyTorch, else safetensors. */
  out: string;
}

/**
 * Writes the network of a finished stage under another program's keys; where the format is a checkpoint of the official
 * program (`moco` with an ending `.pth`), the whole training.
 *
 * @throws ChronotopeError `not-a-run-folder`, `stage-unknown`, `stage-missing`, `weights-format`, also for a CLIP, whose
 *   weights go through `convertModel`
 */
export function exportRun(folder: string, options: ExportRunOptions): ExportedWeights {
  const { draw = 0, out, stage, ...format } = options;
  const run = RunFolder.open(folder);
  const recipe = runRecipe(run);
  if (recipe.method === 'clip') {
    throw new ChronotopeError('weights-format', `${folder} is a run of clip, whose weights have formats of their own`, {
      hint: `Give chronotope weights convert ${folder} --out ${out}.`,
    });
  }
  const which = { stage: stage ?? trainedMethod(recipe).mainStage, draw };
  return withNetwork(run, recipe, which, (network) => {
    const { module, exported = module, officialCheckpoint } = network;
    const whole = officialCheckpoint?.format === options.format && isPth(out) ? officialCheckpoint : undefined;
    return whole ? saveCheckpoint(out, whole) : exportWeights(exported, out, format);
  });
}

function saveCheckpoint(file: string, { format, content }: OfficialCheckpoint): ExportedWeights {
  return scope(() => {
    const checkpoint = content();
    savePth(file, checkpoint);
    return { file, format, channels: 'rgb', keys: [...checkpoint.state_dict.keys()], leftOut: [] };
  });
}
