import { distributed as dist } from '@chronotope/torch';

/**
 * Training by several processes ("ranks") of which each has the whole program's flow: what only one shall do, the first
 * does, and what must be the same everywhere is agreed on. All functions do nothing special in a process that is alone.
 */

/** The place of this process among those that train together. */
export function shard(): { rank: number; worldSize: number } {
  return dist.isInitialized() ? { rank: dist.rank(), worldSize: dist.worldSize() } : { rank: 0, worldSize: 1 };
}

/** Whether this process is the one that writes files and talks to people. */
export function isFirst(): boolean {
  return shard().rank === 0;
}

/** What each process passes, in the order of the ranks; only what JSON holds arrives. */
export function gather<T>(value: T): T[] {
  return shard().worldSize === 1 ? [value] : dist.allGatherObject(value);
}

/** The first process's answer, in all of them; the others do not ask. */
export async function firstDecides<T>(ask: () => T | Promise<T>): Promise<T> {
  return gather(isFirst() ? await ask() : (null as T))[0]!;
}

/** Whether it is true in any process. */
export function anywhere(flag: boolean): boolean {
  return gather(flag).includes(true);
}
