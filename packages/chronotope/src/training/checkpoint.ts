import { loadSafetensors, type nn, saveSafetensors, scope, type Tensor } from '@chronotope/torch';
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
  const hint = 'The file is from another model. Delete its folder to train that stage again.';
  withTensors(file, (tensors, { format }) => {
    if (format !== FORMAT) throw differs(file, hint, new Error('it was not written by a training stage'));
    loadInto(module, tensors, { file, hint });
  });
}

/** What a module is part of: all that a stage trains together, where the module's keys begin with the prefix. */
export interface PartOfStage {
  stage: string;
  prefix: string;
}

/**
 * Reads weights that a stage of any run has written into a module of the same architecture.
 *
 * @param part if files of that stage have more than the module
 * @returns false, with nothing loaded, for a file of another program
 * @throws ChronotopeError `checkpoint-differs` when the file is from another model; TorchError `io` when it is damaged
 */
export function loadCheckpoint(file: string, module: nn.Module, part?: PartOfStage): boolean {
  if (!file.endsWith('.safetensors')) return false;
  return withTensors(file, (tensors, { format, stage }) => {
    if (format !== FORMAT) return false;
    const own = part && part.stage === stage ? below(part.prefix, tensors) : tensors;
    loadInto(module, own, { file, hint: 'Give a file with the weights of this network and of no other.' });
    return true;
  });
}

/** The tensors whose keys begin so, under the rest of their keys. */
function below(prefix: string, tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const own = [...tensors].filter(([key]) => key.startsWith(prefix));
  return new Map(own.map(([key, tensor]) => [key.slice(prefix.length), tensor]));
}

function withTensors<T>(file: string, use: (tensors: Map<string, Tensor>, metadata: Record<string, string>) => T): T {
  const { tensors, metadata } = loadSafetensors(file);
  try {
    return use(tensors, metadata);
  } finally {
    for (const tensor of tensors.values()) tensor.dispose();
  }
}

function loadInto(
  module: nn.Module,
  tensors: Map<string, Tensor>,
  { file, hint }: { file: string; hint: string },
): void {
  try {
    module.loadStateDict(tensors);
  } catch (cause) {
    throw differs(file, hint, cause as Error);
  }
}

function differs(file: string, hint: string, cause: Error): ChronotopeError {
  return new ChronotopeError('checkpoint-differs', `${file} does not fit: ${cause.message}`, { hint, cause });
}
