import { TorchError } from '../errors.js';
import type { Module } from './module.js';

/** The module in whose forward pass an error arose, and the error's message before anything was added to it. */
const origins = new WeakMap<TorchError, { module: Module; message: string }>();

/**
 * Adds to an error of a forward pass which layer it came from, such as `in layer1.0.conv1 of ResNet: Conv2d(3, 64, ...)`.
 * Called by every module the error passes on its way up, so that the path is the one from the outermost module.
 */
export function nameLayer(error: unknown, passed: Module): void {
  if (!(error instanceof TorchError)) {
    return;
  }
  const origin = origins.get(error) ?? { module: passed, message: error.message };
  origins.set(error, origin);
  const path = [...passed.namedModules()].find(([, module]) => module === origin.module)?.[0];
  if (path === undefined) {
    return;
  }
  const where = path === '' ? '' : `${path} of ${passed.constructor.name}: `;
  const { message, stack } = error;
  error.message = `${origin.message}\n  in ${where}${origin.module.constructor.name}(${origin.module.extraRepr()})`;
  error.stack = stack?.replace(message, () => error.message);
}
