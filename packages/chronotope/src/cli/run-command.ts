import { availableParallelism } from 'node:os';
import { setNumThreads } from '@chronotope/torch';
import type { Progress } from '../training/progress.js';
import { EXIT } from './report-error.js';
import { terminalProgress } from './terminal-progress.js';

/**
 * Runs long work so that the first Ctrl-C ends it cleanly and the second at once, with all cores for libtorch.
 */
export async function interruptible<T>(work: (signal: AbortSignal, progress: Progress) => Promise<T>): Promise<T> {
  setNumThreads(availableParallelism());
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write('\nstopping…\n');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    return await work(controller.signal, terminalProgress());
  } finally {
    process.removeListener('SIGINT', stop);
    process.removeListener('SIGTERM', stop);
  }
}
