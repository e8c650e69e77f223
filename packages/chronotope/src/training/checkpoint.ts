import { loadSafetensors, type nn, saveSafetensors, scope } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import type { StageFolder } from './stage-folder.js';

const FORMAT = 'chronotope-model-1';

/** Writes a stage's weights under PyTorch's keys, atomically; by default as the result of the stage. */
export function saveModel(stage: StageFolder, module: nn.Module, file = stage.modelFile): void {
  const metadata = { format: FORMAT, stage: stage.name };
  scope(() => saveSafetensors(file, module.stateDict(), { metadata }));
}

/**
 * Reads a stage's weights into a module of the same architecture; by default those that are its result.
 *
 * @throws ChronotopeError `checkpoint-differs` when the file is from another model; TorchError `io` when it is damaged
 */
export function loadModel(stage: StageFolder, module: nn.Module, file = stage.modelFile): void {
  const { tensors, metadata } = loadSafetensors(file);
  try {
    if (metadata.format !== FORMAT) throw new Error('it was not written by a training stage');
    module.loadStateDict(tensors);
  } catch (cause) {
    throw new ChronotopeError('checkpoint-differs', `${file} does not fit: ${(cause as Error).message}`, {
      hint: 'The file is from another model. Delete its folder to train that stage again.',
      cause,
    });
  } finally {
    for (const tensor of tensors.values()) tensor.dispose();
  }
}
