import { writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** Writes all bytes, at the current position or at a given one. */
export function writeAll(descriptor: number, bytes: Uint8Array, position?: number): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, position === undefined ? null : position + done);
  }
}

/** {@link writeAll} in Node's thread pool. */
export async function writeAllAsync(file: FileHandle, bytes: Uint8Array, position?: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const at = position === undefined ? null : position + done;
    done += (await file.write(bytes, done, bytes.length - done, at)).bytesWritten;
  }
}
