import { type BinaryFile, withFile } from './binary-file.js';
import { ByteReader } from './byte-reader.js';
import { FormatError } from './format-error.js';
import type { AsyncFileOptions } from './pieces.js';
import { isLegacyPth, readLegacyPth } from './pth-legacy.js';
import { type PthValue, type Skipped, toPthValue } from './pth-value.js';
import { readAhead } from './read-ahead.js';
import { StorageMap } from './storage-map.js';
import { TorchHost } from './torch-pickle.js';
import { moduleClasses, type TorchScriptClasses } from './torchscript.js';
import { unpickle } from './unpickle.js';
import { ZipArchive } from './zip-archive.js';

/** How a file of PyTorch is stored. */
export type PthFormat =
  /** A zip archive, as torch.save writes since 1.6. */
  | 'pth'
  /** A row of pickles, as torch.save wrote before. */
  | 'pth-legacy'
  /** A zip archive of torch.jit.save. */
  | 'torchscript';

/** The contents of a `.pth`, `.pt` or `.pth.tar` file. */
export interface Pth {
  value: PthValue;
  /** Objects of classes that are neither tensors nor plain data. They are in `value` as inert data. */
  skipped: Skipped[];
  format: PthFormat;
}

/**
 * Reads what `torch.save` or `torch.jit.save` wrote, without running any of it: pickles are read as data by a machine
 * that knows tensors, plain containers, numbers and strings. Objects of other classes are reported in `skipped` and
 * kept as {@link PythonObject}s, that is, as their class's name and their attributes.
 *
 * Tensors are private copy-on-write maps of the file (copied only where they are not aligned), on the CPU whatever
 * device they were saved from, without requiresGrad. Those that shared memory share it again. Replace such a file only
 * by renaming over it, never by overwriting it in place.
 *
 * @throws TorchError `io` naming the file and the reason when it cannot be read, is damaged, or was written on a
 *   big-endian machine
 */
export function loadPth(path: string): Pth {
  return withFile(path, 'PyTorch', (file) => {
    const { value, skipped, format } = readPth(file);
    return { value, skipped, format };
  });
}

/**
 * {@link loadPth} beside the event loop: the file is first read through in Node's thread pool, so that the maps find it
 * in memory and no later use of a tensor waits for the disk.
 *
 * @throws as {@link loadPth}; the signal's reason when it aborts
 */
export async function loadPthAsync(path: string, options: AsyncFileOptions = {}): Promise<Pth> {
  await readAhead(path, options);
  return loadPth(path);
}

/** Reads an open file, and for a TorchScript archive which attributes of its modules are parameters and buffers. */
export function readPth(file: BinaryFile): Pth & { classes: TorchScriptClasses } {
  if (isLegacyPth(file)) {
    return { ...toPthValue(readLegacyPth(file)), format: 'pth-legacy', classes: new Map() };
  }
  const archive = new ZipArchive(file);
  const folder = findFolder(archive);
  refuseBigEndian(archive, folder);
  const classes = moduleClasses(archive, folder);
  const format = archive.entries.has(`${folder}constants.pkl`) ? 'torchscript' : 'pth';
  return { ...toPthValue(readPickle(file, archive, folder)), format, classes };
}

/** The folder in the archive, which is named after the file that was written first. */
function findFolder(archive: ZipArchive): string {
  const pickles = [...archive.entries.keys()].filter((name) => /^([^/]*\/)?data\.pkl$/.test(name));
  if (pickles.length === 1) return pickles[0]!.slice(0, -'data.pkl'.length);
  throw new FormatError(
    pickles.length === 0 ? 'the zip archive has no data.pkl' : 'the zip archive has several data.pkl',
    'torch.save writes exactly one; read arrays of NumPy with loadNpz',
  );
}

function refuseBigEndian(archive: ZipArchive, folder: string): void {
  const entry = archive.entries.get(`${folder}byteorder`);
  if (entry === undefined) return;
  const order = archive.read(entry).toString('latin1');
  if (order === 'little') return;
  throw new FormatError(
    `its byte order is '${order}', and only little-endian files can be read`,
    'load it with PyTorch on a little-endian machine and save it again',
  );
}

function readPickle(file: BinaryFile, archive: ZipArchive, folder: string): unknown {
  const storages = new StorageMap(file, (key) => {
    const entry = archive.entries.get(`${folder}data/${key}`);
    if (entry === undefined) throw new FormatError(`the archive lacks the storage '${key}'`);
    if (!entry.stored) {
      throw new FormatError(
        `the storage '${key}' is compressed`,
        'PyTorch writes storages uncompressed: save it again',
      );
    }
    return { position: archive.position(entry), bytes: entry.bytes };
  });
  const pickle = archive.read(archive.entries.get(`${folder}data.pkl`)!);
  const host = new TorchHost((...wanted) => storages.find(...wanted), pickle.length);
  return unpickle(ByteReader.ofBytes(pickle), host);
}
