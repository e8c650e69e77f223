import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { fromFile, zeros } from '../creation.js';
import { scope } from '../scope.js';
import type { DType, Tensor } from '../tensor.js';
import { countElements, itemBytes } from './dtypes.js';
import { FormatError, ioError } from './format-error.js';

/** More is never read in one piece: what is large in these files is tensors, and those are mapped. */
const MOST_READ_BYTES = 2 ** 30;
/** A file open for reading: small parts are read, tensors are mapped. Every access is checked against its size. */
export class BinaryFile {
  readonly path: string;
  readonly #descriptor: number;
  readonly #stats: Stats;
  #map: Tensor | undefined;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
    this.#stats = fstatSync(descriptor);
  }

  get size(): number {
    return this.#stats.size;
  }

  /** `count` bytes at `position`. */
  read(position: number, count: number): Buffer {
    this.#assertInside(position, count);
    if (count > MOST_READ_BYTES) throw new FormatError(`a part of ${count} bytes that should be small is too large`);
    const buffer = Buffer.allocUnsafe(count);
    let done = 0;
    while (done < count) {
      const read = readSync(this.#descriptor, buffer, done, count - done, position + done);
      if (read === 0) throw new FormatError('the file ended while it was read');
      done += read;
    }
    return buffer;
  }

  /**
   * Bytes of the file as a private copy-on-write map, uint8 [count]: nothing is read before it is used, and writing to
   * it does not change the file. The file is mapped once; the map belongs to the scope in which it is first asked for.
   */
  map(position: number, count: number): Tensor {
    this.#assertInside(position, count);
    if (count === 0) return zeros([0], { dtype: 'uint8' });
    this.#map ??= this.#mapWhole();
    return this.#map.narrow(0, position, count);
  }

  /** A tensor in row-major order at `position`, mapped; copied where it is not aligned to its element size. */
  tensor(position: number, dtype: DType, shape: readonly number[]): Tensor {
    const count = countElements(shape, 'a tensor');
    if (count === 0) return zeros(shape, { dtype });
    const bytes = this.map(position, count * itemBytes(dtype));
    return scope(() => {
      const aligned = position % itemBytes(dtype) === 0 ? bytes : bytes.clone();
      return aligned.viewDtype(dtype).view(shape);
    });
  }

  #mapWhole(): Tensor {
    const map = fromFile(this.path, { shape: [this.size], dtype: 'uint8' });
    const { dev, ino, mtimeMs } = statSync(this.path);
    if (dev !== this.#stats.dev || ino !== this.#stats.ino || mtimeMs !== this.#stats.mtimeMs) {
      throw new FormatError('it was replaced while it was read', 'read it again when it is complete');
    }
    return map;
  }

  #assertInside(position: number, count: number): void {
    if (position < 0 || count < 0 || !(position + count <= this.size)) {
      throw new FormatError(`bytes ${position} to ${position + count} are needed, but the file has ${this.size}`);
    }
  }
}

/**
 * Opens a file for `read` and closes it afterwards. Tensors that `read` returns belong to the scope of the caller.
 *
 * @param format what the file should be, for the message
 * @throws TorchError `io` with the path when the file cannot be read or `read` refuses it
 */
export function withFile<R>(path: string, format: string, read: (file: BinaryFile) => R): R {
  try {
    const descriptor = openSync(path, 'r');
    try {
      return scope(() => read(new BinaryFile(path, descriptor)));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw ioError(path, format, error);
  }
}
