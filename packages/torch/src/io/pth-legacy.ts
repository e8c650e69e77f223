import type { BinaryFile } from './binary-file.js';
import { ByteReader } from './byte-reader.js';
import { FormatError } from './format-error.js';
import type { PickleHost } from './pickle-values.js';
import { StorageMap, type StoragePlace } from './storage-map.js';
import { Storage, TorchHost } from './torch-pickle.js';
import { unpickle } from './unpickle.js';

/** What the first pickle of the file holds, and the version in the second. */
const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001;
const PICKLE_START = 0x80;
const TAR = { position: 257, magic: 'ustar' };

/** Whether a file is what torch.save wrote before 1.6: a pickle at its beginning, or once a tar archive. */
export function isLegacyPth(file: BinaryFile): boolean {
  return isTar(file) || (file.size > 0 && file.read(0, 1)[0] === PICKLE_START);
}

function isTar(file: BinaryFile): boolean {
  if (file.size < TAR.position + TAR.magic.length) return false;
  return file.read(TAR.position, TAR.magic.length).toString('latin1') === TAR.magic;
}

/**
 * Reads the format of torch.save before 1.6 (and with `_use_new_zipfile_serialization=False`): pickles of a magic
 * number, a version, facts about the machine, the value, and the storages' keys, then each storage after its length.
 */
export function readLegacyPth(file: BinaryFile): unknown {
  if (isTar(file)) {
    throw new FormatError(
      'it is a tar archive, as PyTorch wrote before 0.1.10',
      'load it with PyTorch and save it again',
    );
  }
  const reader = ByteReader.ofFile(file, 0, file.size);
  readPreamble(reader);
  // The storages lie behind the value, so it is read once to get there and to learn their types, and once for good.
  const start = reader.position;
  const types = new StorageTypes();
  unpickle(reader, types);
  const pickleBytes = reader.position - start;
  const places = locateStorages(reader, types.found);
  const storages = new StorageMap(file, (key) => {
    const place = places.get(key);
    if (place === undefined) throw new FormatError(`it lacks the storage '${key}'`);
    return place;
  });
  const host = new TorchHost((...wanted) => storages.find(...wanted), pickleBytes);
  return unpickle(ByteReader.ofFile(file, start, file.size), host);
}

function readPreamble(reader: ByteReader): void {
  const nothing = new StorageTypes();
  if (unpickle(reader, nothing) !== MAGIC_NUMBER) {
    throw new FormatError(
      "it is a pickle, but not one of torch.save's",
      'save what it holds with torch.save or safetensors',
    );
  }
  const version = unpickle(reader, nothing);
  if (version !== PROTOCOL_VERSION) throw new FormatError(`it has the unknown version ${String(version)}`);
  const system = unpickle(reader, nothing);
  if (!(system instanceof Map)) throw new FormatError('it lacks the facts about the machine that wrote it');
  if (system.get('little_endian') !== true) {
    throw new FormatError(
      'it was written on a big-endian machine, and only little-endian files can be read',
      'load it with PyTorch on a little-endian machine and save it again',
    );
  }
}

/** Notes the storages that a pickle refers to; all else counts for nothing. */
class StorageTypes extends TorchHost implements PickleHost {
  readonly found = new Map<string, Storage>();

  constructor() {
    super(() => {
      throw new FormatError('it has a tensor where none can be');
    }, 0);
  }

  override load(id: unknown): unknown {
    const storage = super.load(id);
    if (storage instanceof Storage) this.found.set(storage.key, storage);
    return storage;
  }

  override call(): unknown {
    return undefined;
  }
}

function locateStorages(reader: ByteReader, types: ReadonlyMap<string, Storage>): Map<string, StoragePlace> {
  const keys = unpickle(reader, new StorageTypes());
  if (!Array.isArray(keys)) throw new FormatError("it lacks the list of its storages' keys");
  const places = new Map<string, StoragePlace>();
  for (const key of keys.map(String)) {
    const storage = types.get(key);
    if (storage?.itemBytes === undefined) {
      throw new FormatError(
        `the storage '${key}' is of the unknown type ${storage?.typeName ?? '(none)'}, so what follows cannot be found`,
        'load it with PyTorch and save it again',
      );
    }
    const count = Number(reader.take(8).readBigInt64LE());
    const bytes = count * storage.itemBytes;
    if (count !== storage.count || bytes > reader.remaining) {
      throw new FormatError(
        `the storage '${key}' should have ${storage.count} elements and has ${count}, or is truncated`,
      );
    }
    places.set(key, { position: reader.position, bytes });
    reader.skip(bytes);
  }
  return places;
}
