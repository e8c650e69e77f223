import { open } from 'node:fs/promises';
import { type AsyncFileOptions, PIECE_BYTES } from './pieces.js';

/**
 * Reads a file through in Node's thread pool and drops what it reads: afterwards the system has it in memory, as far as
 * there is room. A file that cannot be read is passed over; whoever reads it next says why.
 *
 * @throws the signal's reason when it aborts
 */
export async function readAhead(path: string, { signal }: AsyncFileOptions): Promise<void> {
  signal?.throwIfAborted();
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return;
  try {
    const scratch = new Uint8Array(PIECE_BYTES);
    while ((await file.read(scratch, 0, PIECE_BYTES).catch(() => ({ bytesRead: 0 }))).bytesRead > 0) {
      signal?.throwIfAborted();
    }
  } finally {
    await file.close();
  }
}
