import type { Tensor } from '../tensor.js';
import { type BinaryFile, withFile } from './binary-file.js';
import { FormatError } from './format-error.js';
import { decodeNpy, readNpy } from './npy.js';
import type { AsyncFileOptions } from './pieces.js';
import { readAhead } from './read-ahead.js';
import { ZipArchive } from './zip-archive.js';

/**
 * Reads the arrays of a `.npz` file (NumPy's savez and savez_compressed) by name. Arrays that are not compressed are
 * mapped as {@link loadNpy} does.
 *
 * @throws TorchError `io` when it cannot be read, is malformed, or has an array that no tensor can hold
 */
export function loadNpz(path: string): Map<string, Tensor> {
  return withFile(path, '.npz', readNpz);
}

/**
 * {@link loadNpz} beside the event loop: the file is first read through in Node's thread pool. Compressed arrays are
 * unpacked in this thread all the same.
 *
 * @throws as {@link loadNpz}; the signal's reason when it aborts
 */
export async function loadNpzAsync(path: string, options: AsyncFileOptions = {}): Promise<Map<string, Tensor>> {
  await readAhead(path, options);
  return loadNpz(path);
}

/**
 * Reads the arrays of a NumPy `.npz` archive by name.
 *
 * @throws FormatError when an entry is no array
 */
export function readNpz(file: BinaryFile): Map<string, Tensor> {
  const archive = new ZipArchive(file);
  const arrays = new Map<string, Tensor>();
  for (const [name, entry] of archive.entries) {
    if (!name.endsWith('.npy')) throw new FormatError(`the entry '${name}' is no array`);
    const start = archive.position(entry);
    const array = entry.stored ? readNpy(file, start, start + entry.bytes) : decodeNpy(archive.read(entry));
    arrays.set(name.slice(0, -'.npy'.length), array);
  }
  return arrays;
}
