import { tensor } from '../creation.js';
import { TorchError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { type BinaryFile, withFile } from './binary-file.js';
import { countElements, itemBytes } from './dtypes.js';
import { FormatError } from './format-error.js';
import { numpyTypeOf, parseNumpyType, tensorOfNumpy } from './numpy-types.js';
import { type AsyncFileOptions, bytesOf, type Piece, whileHolding, writePieces, writePiecesAsync } from './pieces.js';
import { readAhead } from './read-ahead.js';

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** NumPy aligns the data to this. */
const ALIGNMENT = 64;
/** Only records with thousands of fields need more, and those are refused anyway. */
const MOST_HEADER_BYTES = 40_000;

/**
 * Reads an array of NumPy (`.npy`, versions 1 to 3, C or Fortran order). Little-endian arrays are private
 * copy-on-write maps of the file; big-endian ones are copied and swapped. uint16 becomes int32 and uint32 int64, since
 * tensors have no such types.
 *
 * @throws TorchError `io` when it cannot be read, is malformed, or has elements that no tensor has (text, records,
 *   complex numbers, uint64, Python objects)
 */
export function loadNpy(path: string): Tensor {
  return withFile(path, '.npy', (file) => readNpy(file, 0, file.size));
}

/**
 * Writes a tensor as an array of NumPy (`.npy` version 1, C order). The file appears at `path` complete or not at all.
 *
 * @throws TorchError `io` when it cannot be written, `argument` for bfloat16, which NumPy has not
 */
export function saveNpy(path: string, array: Tensor): void {
  writePieces(path, '.npy', piecesOf(encodeNpyHeader(array), array));
}

/**
 * {@link loadNpy} beside the event loop: the file is first read through in Node's thread pool, so that no later use of
 * the array waits for the disk.
 *
 * @throws as {@link loadNpy}; the signal's reason when it aborts
 */
export async function loadNpyAsync(path: string, options: AsyncFileOptions = {}): Promise<Tensor> {
  await readAhead(path, options);
  return loadNpy(path);
}

/**
 * {@link saveNpy} beside the event loop: the same file, written in Node's thread pool. The tensor may be disposed of
 * meanwhile; its values must not change before the promise is settled.
 *
 * @throws as {@link saveNpy}; the signal's reason when it aborts, which leaves an older file as it was
 */
export async function saveNpyAsync(path: string, array: Tensor, options: AsyncFileOptions = {}): Promise<void> {
  const header = encodeNpyHeader(array);
  await whileHolding([array], ([held]) => writePiecesAsync(path, '.npy', piecesOf(header, held!), options));
}

function* piecesOf(header: Buffer, array: Tensor): Generator<Piece> {
  yield { bytes: header };
  for (const bytes of bytesOf(array)) yield { bytes };
}

/** Where an array's bytes come from: a part of a file, or memory. */
interface NpySource {
  readonly size: number;
  read(position: number, count: number): Buffer;
  /** Bytes as a tensor uint8 [count] that is aligned to `width`. */
  tensor(position: number, count: number, width: number): Tensor;
}

/** Reads the array that fills the bytes from `start` to `end` of a file. */
export function readNpy(file: BinaryFile, start: number, end: number): Tensor {
  return readArray({
    size: end - start,
    read: (position, count) => file.read(start + position, count),
    tensor: (position, count, width) => {
      const mapped = file.map(start + position, count);
      return (start + position) % width === 0 ? mapped : mapped.clone();
    },
  });
}

/** Reads the array that fills these bytes. The tensor is a copy. */
export function decodeNpy(contents: Buffer): Tensor {
  const read = (position: number, count: number) => contents.subarray(position, position + count);
  return readArray({ size: contents.length, read, tensor: (position, count) => tensor(read(position, count)) });
}

function readArray(source: NpySource): Tensor {
  const { dataStart, type, shape, fortranOrder } = readHeader(source);
  const width = itemBytes(type.dtype);
  const count = width * countElements(shape, 'the array');
  assertFills(count, source.size - dataStart);
  return tensorOfNumpy(source.tensor(dataStart, count, width), type, { shape, fortranOrder });
}

function assertFills(needed: number, present: number): void {
  if (needed === present) return;
  const what = needed > present ? 'is truncated' : 'has bytes after the array';
  throw new FormatError(`it ${what} (${needed} bytes of elements, and ${present} are there)`);
}

function readHeader({ size, read }: NpySource) {
  if (size < 10) throw new FormatError(`it has only ${size} bytes`);
  const start = read(0, Math.min(12, size));
  if (!start.subarray(0, MAGIC.length).equals(MAGIC)) throw new FormatError("it does not begin as NumPy's arrays do");
  const version = start[6]!;
  if (version < 1 || version > 3) throw new FormatError(`it has the unknown version ${version}`);
  const lengthBytes = version === 1 ? 2 : 4;
  const textStart = 8 + lengthBytes;
  if (size < textStart) throw new FormatError('it is truncated in the header');
  const length = start.readUIntLE(8, lengthBytes);
  if (length > MOST_HEADER_BYTES) throw new FormatError(`its header of ${length} bytes is too large`);
  if (textStart + length > size) throw new FormatError('it is truncated in the header');
  const text = read(textStart, length).toString(version === 3 ? 'utf8' : 'latin1');
  return { dataStart: textStart + length, ...parseHeader(text) };
}

/** Parses the header, a dictionary as Python writes it: descr, fortran_order and shape, nothing else. */
function parseHeader(text: string) {
  const fields = /^\{(.*)\}\s*$/s.exec(text)?.[1];
  const description = fields && /(?:^|[ ,])'descr': *('[^']*'|[^']*\[.*\])/s.exec(fields)?.[1];
  const order = fields && /(?:^|[ ,])'fortran_order': *(True|False)/.exec(fields)?.[1];
  const shape = fields && /(?:^|[ ,])'shape': *\(([\d, ]*)\)/.exec(fields)?.[1];
  if (!description || !order || shape === undefined)
    throw new FormatError('its header lacks descr, fortran_order or shape');
  const sizes = shape.split(',').filter((size) => size.trim() !== '');
  return {
    type: parseNumpyType(description.replaceAll("'", '')),
    fortranOrder: order === 'True',
    shape: sizes.map((size) => {
      const value = Number(size);
      if (!Number.isSafeInteger(value)) throw new FormatError(`its shape (${shape}) is no shape`);
      return value;
    }),
  };
}

function encodeNpyHeader({ dtype, shape }: Tensor): Buffer {
  const description = numpyTypeOf(dtype);
  if (description === undefined) {
    throw new TorchError(`NumPy has no ${dtype}`, { code: 'argument', hint: "save tensor.to({ dtype: 'float32' })" });
  }
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${description}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const unpadded = MAGIC.length + 4 + text.length + 1;
  const padding = (ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT;
  const header = Buffer.from(`${text}${' '.repeat(padding)}\n`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([MAGIC, Buffer.from([1, 0]), length, header]);
}
