import { availableParallelism } from 'node:os';
import { type Device, getNumThreads, version } from '@chronotope/torch';
import { counted } from '../explain/format.js';
import type { DeviceChoice } from './device.js';

/** What a run decides about the machine, and what it was asked for. */
export interface MachineChoices {
  device: Device;
  askedDevice?: DeviceChoice;
  /** The recipe's `training.threads`. */
  threads: number | null;
  /** Threads that make batches. */
  workers: number;
  askedWorkers?: number;
}

/** What was chosen for this machine, and why: a line each, for people. */
export function describeChoices(choices: MachineChoices): string[] {
  return [`computing on ${choices.device}: ${deviceReason(choices)}`, threadsOf(choices), workersOf(choices)];
}

function deviceReason({ device, askedDevice = 'auto' }: MachineChoices): string {
  const { cuda, cudaDevices } = version();
  if (askedDevice !== 'auto') return '--device';
  if (device !== 'cpu') return `libtorch sees ${counted(cudaDevices, 'GPU')}`;
  return cuda ? 'libtorch sees no GPU' : 'this libtorch is built without CUDA';
}

function threadsOf({ threads }: MachineChoices): string {
  const count = counted(threads ?? getNumThreads(), 'thread');
  return `${count} of libtorch: ${threads === null ? 'its own choice, training.threads changes it' : 'training.threads'}`;
}

function workersOf({ device, workers, askedWorkers }: MachineChoices): string {
  if (device !== 'cpu') return 'batches are made on the GPU';
  const reason =
    askedWorkers === undefined
      ? `one for two of ${counted(availableParallelism(), 'processor')}, 4 at most`
      : '--workers';
  return `${counted(workers, 'thread')} beside it to make batches: ${reason}`;
}
