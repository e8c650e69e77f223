import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { noGrad } from '../autograd.js';
import { fromFile, zeros } from '../creation.js';
import { TorchError } from '../errors.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';
import { writeAtomically } from './atomic-write.js';
import {
  decodeHeader,
  encodeHeader,
  HeaderError,
  itemBytes,
  LENGTH_BYTES,
  MAX_HEADER_BYTES,
  type SafetensorsHeader,
  type TensorEntry,
} from './safetensors-header.js';

/** Tensors and metadata of a safetensors file. */
export interface Safetensors {
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
}

/**
 * Writes tensors to a safetensors file. The file appears at `path` complete or not at all: it is written beside it,
 * flushed to the disk and renamed.
 *
 * @param options.metadata strings stored in the header
 * @throws TorchError `io` if the file cannot be written, `argument` if a tensor is named '__metadata__'
 */
export function saveSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>,
  { metadata = {} }: { metadata?: Record<string, string> } = {},
): void {
  const named = tensors instanceof Map ? [...tensors] : Object.entries(tensors as Record<string, Tensor>);
  if (named.some(([name]) => name === '__metadata__')) {
    throw new TorchError("a tensor cannot be named '__metadata__'", {
      code: 'argument',
      hint: 'the format reserves this name; pass strings with { metadata }',
    });
  }
  const laidOut = layOut(named);
  try {
    writeAtomically(path, (file) => {
      writeAll(file, encodeHeader({ tensors: laidOut.map(({ entry }) => entry), metadata }));
      for (const { tensor } of laidOut) {
        writeAll(file, rawBytes(tensor));
      }
    });
  } catch (error) {
    throw ioError(path, error);
  }
}

/**
 * Reads a safetensors file. The tensors are private copy-on-write maps of the file: nothing is read before it is used,
 * and writing to a tensor does not change the file. Replace such a file only by renaming over it (as
 * {@link saveSafetensors} does), never by overwriting it in place.
 *
 * @throws TorchError `io` naming the file and the reason if it cannot be read or is not a well-formed safetensors file
 */
export function loadSafetensors(path: string): Safetensors {
  try {
    const { header, dataStart, fileBytes } = readHeader(path);
    return { tensors: mapTensors(path, header.tensors, dataStart, fileBytes), metadata: header.metadata };
  } catch (error) {
    throw ioError(path, error);
  }
}

/** Wide dtypes first, so that every tensor is aligned to its element size without gaps. */
function layOut(named: [string, Tensor][]): { entry: TensorEntry; tensor: Tensor }[] {
  let offset = 0;
  return named
    .toSorted(([, a], [, b]) => itemBytes(b.dtype) - itemBytes(a.dtype))
    .map(([name, tensor]) => {
      const begin = offset;
      offset += tensor.numel * itemBytes(tensor.dtype);
      return { entry: { name, dtype: tensor.dtype, shape: [...tensor.shape], begin, end: offset }, tensor };
    });
}

function rawBytes(tensor: Tensor): Uint8Array {
  if (tensor.numel === 0) {
    return new Uint8Array();
  }
  return scope(() =>
    noGrad(() => {
      const flat = tensor.detach().to({ device: 'cpu' }).contiguous().reshape([-1]);
      return flat.viewDtype('uint8').data() as Uint8Array;
    }),
  );
}

function readHeader(path: string): { header: SafetensorsHeader; dataStart: number; fileBytes: number } {
  const file = openSync(path, 'r');
  try {
    const fileBytes = fstatSync(file).size;
    if (fileBytes < LENGTH_BYTES) {
      throw new HeaderError(`the file has only ${fileBytes} bytes`);
    }
    const length = readBytes(file, 0, LENGTH_BYTES).readBigUInt64LE();
    if (length > BigInt(MAX_HEADER_BYTES)) {
      throw new HeaderError(`the header is too large (${length} bytes, at most ${MAX_HEADER_BYTES})`);
    }
    const dataStart = LENGTH_BYTES + Number(length);
    if (dataStart > fileBytes) {
      throw new HeaderError(`the file is truncated: its header has ${length} bytes, the file ${fileBytes}`);
    }
    const header = decodeHeader(readBytes(file, LENGTH_BYTES, Number(length)), fileBytes - dataStart);
    return { header, dataStart, fileBytes };
  } finally {
    closeSync(file);
  }
}

function mapTensors(
  path: string,
  entries: readonly TensorEntry[],
  dataStart: number,
  fileBytes: number,
): Map<string, Tensor> {
  return scope(() => {
    const bytes = fromFile(path, { shape: [fileBytes], dtype: 'uint8' });
    return new Map(entries.map((entry) => [entry.name, mapTensor(bytes, entry, dataStart)]));
  });
}

function mapTensor(bytes: Tensor, { dtype, shape, begin, end }: TensorEntry, dataStart: number): Tensor {
  if (begin === end) {
    return zeros(shape, { dtype });
  }
  const start = dataStart + begin;
  const own = bytes.narrow(0, start, end - begin);
  const aligned = start % itemBytes(dtype) === 0 ? own : own.clone();
  return aligned.viewDtype(dtype).reshape(shape);
}

function readBytes(file: number, position: number, count: number): Buffer {
  const buffer = Buffer.alloc(count);
  let done = 0;
  while (done < count) {
    const read = readSync(file, buffer, done, count - done, position + done);
    if (read === 0) {
      throw new HeaderError('the file ended while it was read');
    }
    done += read;
  }
  return buffer;
}

function writeAll(file: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(file, bytes, done);
  }
}

function ioError(path: string, error: unknown): unknown {
  if (error instanceof HeaderError) {
    return new TorchError(`'${path}' is not a well-formed safetensors file: ${error.message}`, {
      code: 'io',
      hint: 'the file is damaged, incomplete or of another format: copy or write it again',
    });
  }
  if (error instanceof Error && 'syscall' in error) {
    return new TorchError(`'${path}' could not be read or written: ${error.message}`, {
      code: 'io',
      hint: 'check the path, the permissions and the free space',
    });
  }
  return error;
}
