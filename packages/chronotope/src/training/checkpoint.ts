import { loadSafetensors, type nn, saveSafetensors, scope } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import type { StageFolder } from './stage-folder.js';

const FORMAT = 'chronotope-model-1';

/** Writes a stage's weights under PyTorch's keys, atomically. */
export function saveModel(stage: StageFolder, module: nn.Module): void {
  const metadata = { format: FORMAT, stage: stage.name };
  scope(() => saveSafetensors(stage.modelFile, module.stateDict(), { metadata }));
}

/**
 * Reads a stage's weights into a module of the same architecture.
 *
 * @throws ChronotopeError `checkpoint-differs` when the file is from another model; TorchError `io` when it is damaged
 */
export function loadModel(stage: StageFolder, module: nn.Module): void {
  const { tensors, metadata } = loadSafetensors(stage.modelFile);
  try {
    if (metadata.format !== FORMAT) throw new Error('it was not written by a training stage');
    module.loadStateDict(tensors);
  } catch (cause) {
    throw new ChronotopeError('checkpoint-differs', `${stage.modelFile} does not fit: ${(cause as Error).message}`, {
      hint: 'The file is from another model. Delete its folder to train that stage again.',
      cause,
    });
  } finally {
    for (const tensor of tensors.values()) tensor.dispose();
  }
}
