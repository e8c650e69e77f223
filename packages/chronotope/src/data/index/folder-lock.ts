import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ChronotopeError } from '../../errors.js';

const NAME = '.lock';

/**
 * Keeps other processes from writing to a folder. The lock of a process that was killed does not count.
 *
 * @returns what gives the folder free again
 * @throws ChronotopeError `index-busy` when another process holds it
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, NAME);
  const own = `${process.pid} ${hostname()}\n`;
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, own, { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(folder, error as Error);
    }
    const owner = readOwner(file);
    if (owner === null) continue;
    if (attempt > 0 || isRunning(owner)) throw busy(folder, file, owner);
    rmSync(file, { force: true });
  }
}

interface Owner {
  processId: number;
  host: string;
}

/** Who holds the lock; null when it was just given free. */
function readOwner(file: string): Owner | null {
  try {
    const [processId, host] = readFileSync(file, 'utf8').trim().split(' ');
    return { processId: Number(processId), host: host ?? '' };
  } catch {
    return null;
  }
}

/** Processes of another machine can't be asked, so they count as running. */
function isRunning({ processId, host }: Owner): boolean {
  if (host !== hostname()) return host !== '';
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function busy(folder: string, file: string, { processId, host }: Owner): ChronotopeError {
  return new ChronotopeError('index-busy', `process ${processId} on ${host} is writing to ${folder}`, {
    hint: `Wait for it, or choose another folder with --out. If it is not running any more, delete ${file}.`,
    details: { folder, processId, host },
  });
}

function unwritable(folder: string, cause: Error): ChronotopeError {
  return new ChronotopeError('folder-unwritable', `cannot write to ${folder}: ${cause.message}`, {
    hint: 'Choose another folder with --out.',
    details: { folder },
    cause,
  });
}
