export { Generator } from './generator.js';

import { native } from './native.js';
import { TensorHandle } from './scope.js';
import { type Device, Tensor } from './tensor.js';

/** Seeds the random numbers of all devices. They are shared by all threads of the process. */
export function manualSeed(seed: number): void {
  native().manualSeed(seed);
}

/** The state of a device's random numbers, a uint8 tensor. */
export function getRngState(device: Device = 'cpu'): Tensor {
  return new Tensor(native().getRngState(device));
}

/** Puts back a state that {@link getRngState} gave. */
export function setRngState(state: Tensor, device: Device = 'cpu'): void {
  native().setRngState(device, TensorHandle.of(state));
}
