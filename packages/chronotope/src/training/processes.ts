import { distributed as dist } from '@chronotope/torch';
import { type Progress, silentProgress } from './progress.js';

// Training by several processes ("ranks"), each of which runs the whole program: what only one shall do, the first does,
// and what must be the same everywhere they agree on. In a process that is alone nothing here does anything special.

/** Hours for which one process may work alone while the others wait, such as for decoding videos. */
const PATIENCE_SECONDS = 12 * 3600;

/**
 * Runs work together with the other processes that chronotope-run, torchrun or the like has started with this one.
 *
 * @throws TorchError `distributed` when the others do not come, or end
 */
export async function withProcesses<R>(work: () => Promise<R>): Promise<R> {
  const alone = Number(process.env.WORLD_SIZE ?? 1) <= 1;
  if (alone || dist.isInitialized()) return work();
  await dist.initProcessGroup({ timeoutSeconds: PATIENCE_SECONDS });
  try {
    return await work();
  } finally {
    dist.destroyProcessGroup();
  }
}

/** The place of this process among those that train together: its part of every batch. */
export function shard(): { rank: number; worldSize: number } {
  return { rank: dist.rank(), worldSize: dist.worldSize() };
}

/** Whether this process is the one that writes files and talks to people. */
export function isFirst(): boolean {
  return dist.rank() === 0;
}

/** What each process passes, in the order of the ranks; only what JSON holds arrives. */
export function gather<T>(value: T): T[] {
  return dist.worldSize() === 1 ? [value] : dist.allGatherObject(value);
}

/** Whether it is true in any process. */
export function anywhere(flag: boolean): boolean {
  return gather(flag).includes(true);
}

/** The first process's answer, in all of them; the others do not ask, but wait without blocking this thread. */
export async function firstDecides<T>(ask: () => T | Promise<T>): Promise<T> {
  if (dist.worldSize() === 1) return ask();
  const answer = isFirst() ? await ask() : null;
  await dist.barrierAsync();
  return gather(answer)[0] as T;
}

/** Lets the first process do something while the others wait. */
export async function firstDoes(work: () => void | Promise<void>): Promise<void> {
  await firstDecides(async () => {
    await work();
    return null;
  });
}

/** All do it, the first one alone before the others: they find what it has made. */
export async function firstThenOthers<T>(work: () => Promise<T>): Promise<T> {
  const made = isFirst() ? [await work()] : [];
  await firstDoes(() => {});
  return isFirst() ? made[0]! : work();
}

/** Where this process reports to: people hear one of several. */
export function heard(progress: Progress = silentProgress): Progress {
  return isFirst() ? progress : silentProgress;
}
