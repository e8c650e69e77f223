import { availableParallelism } from 'node:os';
import { setNumThreads } from '@chronotope/torch';
import type { Progress } from '../training/progress.js';
import { EXIT } from './report-error.js';
import { terminalProgress } from './terminal-progress.js';

type Work<T> = (signal: AbortSignal, progress: Progress) => Promise<T>;

/**
 * Runs long work so that the first Ctrl-C ends it cleanly and the second at once, with all cores for libtorch or as many
 * as OMP_NUM_THREADS says, which divides them among several processes.
 */
export function interruptible<T>(work: Work<T>): Promise<T> {
  setNumThreads(Number(process.env.OMP_NUM_THREADS) || availableParallelism());
  return untilInterrupted(work);
}

/** The same for work that needs no tensors: libtorch, which alone takes 160 MB, is not loaded. */
export async function untilInterrupted<T>(work: Work<T>): Promise<T> {
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

/** Whether this process prints results: of several that were started together, the first. */
export function printsResults(): boolean {
  return Number(process.env.RANK ?? 0) === 0;
}
