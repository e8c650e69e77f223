import type { BinaryFile } from './binary-file.js';
import { FormatError } from './format-error.js';
import type { StorageBytes } from './torch-pickle.js';

/** Where a storage lies in a file. */
export interface StoragePlace {
  position: number;
  bytes: number;
}

/** The storages of an open file: mapped where they are aligned to their elements, else copied once. */
export class StorageMap {
  readonly #file: BinaryFile;
  readonly #locate: (key: string) => StoragePlace;
  readonly #found = new Map<string, StorageBytes>();

  constructor(file: BinaryFile, locate: (key: string) => StoragePlace) {
    this.#file = file;
    this.#locate = locate;
  }

  /** @throws FormatError when the file has no such storage or one of another size */
  find(key: string, byteCount: number, itemBytes: number): StorageBytes {
    const known = this.#found.get(key);
    if (known !== undefined && known.start % itemBytes === 0 && known.bytes.numel === byteCount) return known;
    const { position, bytes } = this.#locate(key);
    if (bytes !== byteCount) {
      throw new FormatError(`the storage '${key}' should have ${byteCount} bytes and has ${bytes}`);
    }
    const mapped = this.#file.map(position, byteCount);
    const aligned = position % itemBytes === 0;
    const found = aligned ? { bytes: mapped, start: position } : { bytes: mapped.clone(), start: 0 };
    this.#found.set(key, found);
    return found;
  }
}
