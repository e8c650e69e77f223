import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Creates or replaces a file so that a reader, or a crash, never sees half of it: `write` fills a temporary file in the
 * same folder, which is flushed to the disk and renamed to `path`.
 *
 * @param write receives the open file's descriptor
 */
export function writeAtomically(path: string, write: (file: number) => void): void {
  const temporary = temporaryFor(path);
  try {
    const file = openSync(temporary, 'wx');
    try {
      write(file);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  flushFolder(dirname(path));
}

/** {@link writeAtomically} beside the event loop. */
export async function writeAtomicallyAsync(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    const file = await open(temporary, 'wx');
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  flushFolder(dirname(path));
}

function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
}

/** Makes the rename itself durable. */
function flushFolder(folder: string): void {
  if (process.platform === 'win32') {
    return;
  }
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
