import { createHash, randomBytes } from 'node:crypto';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const abandonedAfterMs = 24 * 60 * 60 * 1000;

/** A piece of file name that no other process on any machine uses: `<host>-<process>-<random>`. */
export function uniqueSuffix(): string {
  return `${host}-${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** Name for a file that is being written and later renamed to `path`. */
export function temporaryName(path: string): string {
  return `${path}.${uniqueSuffix()}.tmp`;
}

/** Writes a small text file that is either complete or absent. */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes what killed processes left half-written in `folder`; files of processes that still run stay. */
export async function removeAbandonedFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const owner = /\.([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.tmp$/.exec(name);
    if (owner === null) continue;
    const path = join(folder, name);
    const ownerEnded = owner[1] === host && !isRunning(Number(owner[2]));
    if (ownerEnded || (await isOld(path))) await rm(path, { force: true });
  }
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function isOld(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => null);
  return stats !== null && Date.now() - stats.mtimeMs > abandonedAfterMs;
}
