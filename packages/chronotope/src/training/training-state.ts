import { existsSync, rmSync } from 'node:fs';
import { loadSafetensors, type nn, type optim, saveSafetensors, scope, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import type { FitState } from './fit.js';
import { gather, isFirst, shard } from './processes.js';
import { type RandomState, randomState, restoreRandomState } from './random-state.js';

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
 * whole or not at all: a kill at any instant leaves the state before or the state after. Where several processes train
 * together all must call it; the first one writes.
 */
export function saveTrainingState(file: string, state: TrainingState, fit: FitState): void {
  const { module, optimizer, average } = state;
  const processes = gather({ fit, random: randomState(module) } satisfies ProcessState);
  if (!isFirst()) return;
  scope(() => {
    const { tensors, values } = optimizer.stateDict();
    const all = new Map<string, Tensor>([
      ...prefixed('model.', module.stateDict()),
      ...prefixed('average.', average?.stateDict() ?? new Map()),
      ...prefixed('optimizer.', tensors),
    ]);
    saveSafetensors(file, all, {
      metadata: { format: FORMAT, optimizer: JSON.stringify(values), processes: JSON.stringify(processes) },
    });
  });
}

/**
 * Puts back what {@link saveTrainingState} saved, or returns null when there is no such file. The next step then gives
 * the same weights as if there had been no interruption: bit for bit, on the same CPU with the same number of threads.
 *
 * @throws ChronotopeError `checkpoint-differs` when the file is from another model, `processes-differ` when it is from
 *   another number of processes; TorchError `io` when it is damaged
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
    const { random, fit } = ofThisProcess(JSON.parse(metadata.processes!) as ProcessState[], file);
    restoreRandomState(module, random);
    return fit;
  });
}

/** What differs between processes that train together. */
interface ProcessState {
  fit: FitState;
  random: RandomState;
}

function ofThisProcess(saved: readonly ProcessState[], file: string): ProcessState {
  const { rank, worldSize } = shard();
  if (saved.length === worldSize) return saved[rank]!;
  const message = `the processes that saved ${file} were ${saved.length}, and now it is ${worldSize}`;
  throw new ChronotopeError('processes-differ', message, {
    hint: `Go on with ${saved.length}, or delete the folder of the stage to train it again.`,
  });
}

/** Removes a state that is no longer needed. */
export function removeTrainingState(file: string): void {
  rmSync(file, { force: true });
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
