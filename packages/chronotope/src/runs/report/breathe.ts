import { setImmediate } from 'node:timers/promises';
import { interrupted } from '../../training/fit.js';

/**
 * Lets the event loop run, so that Ctrl-C is seen.
 *
 * @throws ChronotopeError `interrupted`
 */
export async function breathe(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal?.aborted) throw interrupted();
}
