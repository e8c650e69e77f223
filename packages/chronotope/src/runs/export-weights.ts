import { trainedMethod } from '../methods/trained-method.js';
import { Clip } from '../models/clip/clip.js';
import { saveClip } from '../models/clip/clip-weights.js';
import { type ExportedWeights, type ExportWeightsOptions, exportWeights } from '../models/weights/export-weights.js';
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
 * Writes the network of a finished stage under another program's keys.
 *
 * @throws ChronotopeError `not-a-run-folder`, `stage-unknown`, `stage-missing`, `weights-format`
 */
export function exportRun(folder: string, options: ExportRunOptions): ExportedWeights {
  const { draw = 0, out, stage, ...format } = options;
  const run = RunFolder.open(folder);
  const recipe = runRecipe(run);
  const which = { stage: stage ?? trainedMethod(recipe).mainStage, draw };
  return withNetwork(run, recipe, which, ({ module }) =>
    module instanceof Clip && format.format === undefined
      ? exportClip(module, out)
      : exportWeights(module, out, format),
  );
}

/** A whole CLIP, with what the shapes of its weights do not say, so that `model.pretrained` of another run can name it. */
function exportClip(clip: Clip, file: string): ExportedWeights {
  saveClip(clip, file);
  return { file, format: 'clip', channels: 'rgb', keys: [...clip.stateDict().keys()], leftOut: [] };
}
