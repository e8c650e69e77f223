import { existsSync, rmSync } from 'node:fs';
import {
  getRngState,
  loadSafetensors,
  type nn,
  type optim,
  saveSafetensors,
  scope,
  setRngState,
  type Tensor,
} from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import type { FitState } from './fit.js';

const FORMAT = 'chronotope-training-state-2';

/** Everything that decides how an unfinished stage goes on. */
export interface TrainingState {
  module: nn.Module;
  optimizer: optim.Optimizer;
  /** A moving average of the module's weights, if there is one. */
  average?: optim.EMA;
}

/**
 * Saves the weights, their average, the optimiser, libtorch's random numbers and the position in one file, which appears
 * whole or not at all: a kill at any instant leaves the state before or the state after.
 */
export function saveTrainingState(file: string, state: TrainingState, fit: FitState): void {
  const { module, optimizer, average } = state;
  scope(() => {
    const { tensors, values } = optimizer.stateDict();
    const all = new Map<string, Tensor>([
      ...prefixed('model.', module.stateDict()),
      ...prefixed('average.', average?.stateDict() ?? new Map()),
      ...prefixed('optimizer.', tensors),
      ...randomDevices(module).map((device): [string, Tensor] => [`rng.${device}`, getRngState(device)]),
    ]);
    saveSafetensors(file, all, {
      metadata: { format: FORMAT, fit: JSON.stringify(fit), optimizer: JSON.stringify(values) },
    });
  });
}

/**
 * Puts back what {@link saveTrainingState} saved, or returns null when there is no such file. The next step then gives
 * the same weights as if there had been no interruption: bit for bit, on the same CPU with the same number of threads.
 *
 * @throws ChronotopeError `checkpoint-differs` when the file is from another model; TorchError `io` when it is damaged
 */
export function loadTrainingState(file: string, { module, optimizer, average }: TrainingState): FitState | null {
  if (!existsSync(file)) return null;
  return scope(() => {
    const { tensors, metadata } = loadSafetensors(file);
    // `fit` multiplies the schedule's factor with the rates the optimiser was made with, not with those of the last step.
    const rates = optimizer.paramGroups.map(({ lr }) => lr);
    try {
      if (metadata.format !== FORMAT) throw new Error('it does not hold the state of a training stage');
      module.loadStateDict(withPrefix('model.', tensors));
      average?.loadStateDict(withPrefix('average.', tensors));
      const values = JSON.parse(metadata.optimizer!) as optim.OptimizerState['values'];
      optimizer.loadStateDict({ tensors: withPrefix('optimizer.', tensors), values });
    } catch (cause) {
      throw new ChronotopeError('checkpoint-differs', `${file} does not fit: ${(cause as Error).message}`, {
        hint: 'The file is from another model. Delete its folder to train that stage again.',
        cause,
      });
    }
    for (const [index, group] of optimizer.paramGroups.entries()) group.lr = rates[index]!;
    for (const [device, state] of withPrefix('rng.', tensors)) setRngState(state, device);
    return JSON.parse(metadata.fit!) as FitState;
  });
}

/** Removes a state that is no longer needed. */
export function removeTrainingState(file: string): void {
  rmSync(file, { force: true });
}

/** The devices whose random numbers a module may draw: the CPU, which draws much for the others, and its own. */
export function randomDevices(module: nn.Module): string[] {
  return [...new Set(['cpu', ...module.parameters().map(({ device }) => device)])];
}

function prefixed(prefix: string, tensors: ReadonlyMap<string, Tensor>): [string, Tensor][] {
  return [...tensors].map(([name, tensor]) => [prefix + name, tensor]);
}

function withPrefix(prefix: string, tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}
