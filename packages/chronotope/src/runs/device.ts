import { type Device, version } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';

/** Where networks run, as a user says it. */
export const DEVICE_CHOICES = ['auto', 'cpu', 'cuda'] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

/**
 * The device of this process. `auto` takes a GPU where libtorch sees one (CUDA_VISIBLE_DEVICES decides which it sees). Of
 * several processes on a machine each has a GPU of its own, as far as there are enough.
 *
 * @throws ChronotopeError `no-gpu` when one is asked for and libtorch has none
 */
export function chosenDevice(choice: DeviceChoice = 'auto'): Device {
  const { cuda, cudaDevices } = version();
  if (choice === 'cpu' || (choice === 'auto' && cudaDevices === 0)) return 'cpu';
  if (cudaDevices > 0) return `cuda:${Number(process.env.LOCAL_RANK ?? 0) % cudaDevices}`;
  const reason = cuda ? 'libtorch sees no GPU on this machine' : 'this libtorch is built without CUDA';
  throw new ChronotopeError('no-gpu', reason, {
    hint: 'chronotope doctor says which libtorch is used. Leave --device out to use the CPU.',
  });
}
