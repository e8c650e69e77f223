import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { zeros } from '../creation.js';
import { TorchError } from '../errors.js';
import { keep, scope } from '../scope.js';
import type { DType, Tensor } from '../tensor.js';
import { type BinaryFile, withFile } from './binary-file.js';
import { itemBytes } from './dtypes.js';
import { FormatError, ioError } from './format-error.js';
import { type AsyncFileOptions, bytesOf, type Piece, whileHolding, writePieces, writePiecesAsync } from './pieces.js';
import { readAhead } from './read-ahead.js';
import {
  decodeHeader,
  encodeHeader,
  formatType,
  LENGTH_BYTES,
  MAX_HEADER_BYTES,
  type SafetensorsHeader,
  type TensorEntry,
} from './safetensors-header.js';
import { readIndex } from './safetensors-index.js';

/** Tensors and metadata of a safetensors file. */
export interface Safetensors {
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
}

/** What {@link saveSafetensors} writes: tensors by name. */
export type NamedTensors = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

/** Settings of {@link saveSafetensors}. */
export interface SafetensorsOptions {
  /** Strings that are stored in the header. */
  metadata?: Record<string, string>;
}

/**
 * Writes tensors to a safetensors file. The file appears at `path` complete or not at all: it is written beside it,
 * flushed to the disk and renamed.
 *
 * @throws TorchError `io` if the file cannot be written, `argument` if a tensor is named '__metadata__'
 */
export function saveSafetensors(path: string, tensors: NamedTensors, options: SafetensorsOptions = {}): void {
  writePieces(path, FORMAT, piecesOf(entriesOf(tensors), options));
}

/**
 * {@link saveSafetensors} beside the event loop: the same file, written and flushed in Node's thread pool. The tensors
 * may be disposed of meanwhile; their values must not change before the promise is settled.
 *
 * @throws as {@link saveSafetensors}; the signal's reason when it aborts, which leaves an older file as it was
 */
export async function saveSafetensorsAsync(
  path: string,
  tensors: NamedTensors,
  { signal, ...options }: SafetensorsOptions & AsyncFileOptions = {},
): Promise<void> {
  const named = entriesOf(tensors);
  await whileHolding(
    named.map(([, tensor]) => tensor),
    (held) => {
      const pieces = piecesOf(
        named.map(([name], i) => [name, held[i]!]),
        options,
      );
      return writePiecesAsync(path, FORMAT, pieces, { signal });
    },
  );
}

function entriesOf(tensors: NamedTensors): [string, Tensor][] {
  const named = tensors instanceof Map ? [...tensors] : Object.entries(tensors as Record<string, Tensor>);
  if (!named.some(([name]) => name === '__metadata__')) return named;
  throw new TorchError("a tensor cannot be named '__metadata__'", {
    code: 'argument',
    hint: 'the format reserves this name; pass strings with { metadata }',
  });
}

function* piecesOf(named: [string, Tensor][], { metadata = {} }: SafetensorsOptions): Generator<Piece> {
  const laidOut = layOut(named);
  yield { bytes: encodeHeader({ tensors: laidOut.map(({ entry }) => entry), metadata }) };
  for (const { tensor } of laidOut) {
    for (const bytes of bytesOf(tensor)) yield { bytes };
  }
}

/**
 * Reads a safetensors file, or all files of a sharded one by its index (`model.safetensors.index.json`, as Hugging Face
 * writes them). The tensors are private copy-on-write maps of the file: nothing is read before it is used, and writing
 * to a tensor does not change the file. Replace such a file only by renaming over it (as {@link saveSafetensors} does),
 * never by overwriting it in place.
 *
 * @throws TorchError `io` naming the file and the reason if it cannot be read, is not a well-formed safetensors file,
 *   or has a tensor of a type that libtorch's tensors here have not (such as float8)
 */
export function loadSafetensors(path: string): Safetensors {
  return scope(() => {
    using file = openSafetensors(path);
    return { tensors: new Map(file.keys().map((name) => [name, file.get(name)])), metadata: file.metadata };
  });
}

/**
 * {@link loadSafetensors} beside the event loop: the files are first read through in Node's thread pool, so that the
 * maps find them in memory and no later use of a tensor waits for the disk.
 *
 * @throws as {@link loadSafetensors}; the signal's reason when it aborts
 */
export async function loadSafetensorsAsync(path: string, options: AsyncFileOptions = {}): Promise<Safetensors> {
  for (const part of [path, ...partsOf(path)]) await readAhead(part, options);
  return loadSafetensors(path);
}

/** The files of a sharded safetensors file; none where the file itself cannot tell, which loading it will explain. */
export function partsOf(path: string): string[] {
  try {
    return [...(readIndex(path)?.keys() ?? [])].map((name) => join(dirname(path), name));
  } catch {
    return [];
  }
}

/** What a safetensors file says of a tensor without its values. */
export interface SafetensorsEntry {
  shape: readonly number[];
  /** Undefined where libtorch's tensors here have no such type. */
  dtype: DType | undefined;
  /** The format's name of the type, such as `F32` or `F8_E4M3`. */
  type: string;
}

/**
 * Opens a safetensors file, or a sharded one by its index, to take single tensors out of it. Only the headers are read;
 * a tensor is a private copy-on-write map of its part of the file. Dispose it (`using file = openSafetensors(path)`)
 * when no more tensors are to be taken; those that were taken stay valid.
 *
 * @throws TorchError `io` naming the file and the reason if it is not well-formed
 */
export function openSafetensors(path: string): SafetensorsFile {
  const weightMap = readIndex(path);
  if (weightMap === undefined) return new SafetensorsFile(path, [Shard.open(path)]);
  const shards: Shard[] = [];
  try {
    for (const [name, tensors] of weightMap) shards.push(openShard(path, name, tensors));
    return new SafetensorsFile(path, shards);
  } catch (error) {
    for (const shard of shards) shard.map.dispose();
    throw error;
  }
}

/** A safetensors file that is open: what is in it, and its tensors one by one. */
export class SafetensorsFile {
  readonly path: string;
  /** The strings in the header; of a sharded file those of all files. */
  readonly metadata: Record<string, string>;
  readonly #shards: readonly Shard[];
  readonly #shardOf = new Map<string, Shard>();

  /** @internal Use {@link openSafetensors}. */
  constructor(path: string, shards: readonly Shard[]) {
    this.path = path;
    this.#shards = shards;
    this.metadata = Object.assign({}, ...shards.map(({ metadata }) => metadata));
    for (const shard of shards) {
      for (const name of shard.entries.keys()) this.#shardOf.set(name, shard);
    }
  }

  /** The names of the tensors. */
  keys(): string[] {
    return [...this.#shardOf.keys()];
  }

  has(name: string): boolean {
    return this.#shardOf.has(name);
  }

  /**
   * Shape and type of a tensor.
   *
   * @throws TorchError `argument` when there is none of this name
   */
  info(name: string): SafetensorsEntry {
    const { shape, dtype, type } = this.#find(name).entry;
    return { shape, dtype, type };
  }

  /**
   * One tensor, mapped.
   *
   * @throws TorchError `argument` when there is none of this name, `io` when it is of a type that libtorch's tensors
   *   here have not, `disposed` after this was disposed
   */
  get(name: string): Tensor {
    const { shard, entry } = this.#find(name);
    return shard.tensor(entry);
  }

  /** Lets go of the file. */
  dispose(): void {
    for (const shard of this.#shards) shard.map.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #find(name: string): { shard: Shard; entry: TensorEntry } {
    const shard = this.#shardOf.get(name);
    if (shard === undefined) {
      throw new TorchError(`'${this.path}' has no tensor '${name}'`, {
        code: 'argument',
        hint: `it has ${this.keys().slice(0, 10).join(', ')}${this.#shardOf.size > 10 ? ', …' : ''}`,
      });
    }
    return { shard, entry: shard.entries.get(name)! };
  }
}

const FORMAT = 'safetensors';

/** One file of a safetensors file: its header and its bytes as a map. */
class Shard {
  readonly path: string;
  readonly entries: Map<string, TensorEntry>;
  readonly metadata: Record<string, string>;
  readonly #dataStart: number;
  /** The whole file, uint8 [bytes]. */
  readonly map: Tensor;

  private constructor(path: string, { tensors, metadata }: SafetensorsHeader, dataStart: number, map: Tensor) {
    this.path = path;
    this.entries = new Map(tensors.map((entry) => [entry.name, entry]));
    this.metadata = metadata;
    this.#dataStart = dataStart;
    this.map = map;
  }

  static open(path: string): Shard {
    return withFile(path, FORMAT, (file) => {
      const { header, dataStart } = readHeader(file);
      return new Shard(path, header, dataStart, keep(file.map(0, file.size)));
    });
  }

  tensor({ name, type, dtype, shape, begin, end }: TensorEntry): Tensor {
    if (dtype === undefined) {
      throw new TorchError(`'${name}' in '${this.path}' is of type ${type}, which no tensor here has`, {
        code: 'io',
        hint: 'convert it to F32, BF16 or another type of tensors, or take the other tensors with openSafetensors',
      });
    }
    if (begin === end) return zeros(shape, { dtype });
    const start = this.#dataStart + begin;
    return scope(() => {
      const bytes = this.map.narrow(0, start, end - begin);
      const aligned = start % itemBytes(dtype) === 0 ? bytes : bytes.clone();
      return aligned.viewDtype(dtype).view(shape);
    });
  }
}

/** Opens one file of a sharded one, and leaves out the tensors that the index does not name. */
function openShard(indexPath: string, name: string, tensors: ReadonlySet<string>): Shard {
  const path = join(dirname(indexPath), name);
  if (!existsSync(path)) {
    throw ioError(
      indexPath,
      FORMAT,
      new FormatError(`its part '${name}' is missing`, 'put all parts beside the index'),
    );
  }
  const shard = Shard.open(path);
  for (const tensor of tensors) {
    if (shard.entries.has(tensor)) continue;
    shard.map.dispose();
    throw ioError(indexPath, FORMAT, new FormatError(`its part '${name}' lacks the tensor '${tensor}'`));
  }
  for (const tensor of shard.entries.keys()) {
    if (!tensors.has(tensor)) shard.entries.delete(tensor);
  }
  return shard;
}

/** Wide dtypes first, so that every tensor is aligned to its element size without gaps. */
function layOut(named: [string, Tensor][]): { entry: TensorEntry; tensor: Tensor }[] {
  let offset = 0;
  return named
    .toSorted(([, a], [, b]) => itemBytes(b.dtype) - itemBytes(a.dtype))
    .map(([name, tensor]) => {
      const { dtype, shape } = tensor;
      const begin = offset;
      offset += tensor.numel * itemBytes(dtype);
      return { entry: { name, type: formatType(dtype), dtype, shape: [...shape], begin, end: offset }, tensor };
    });
}

function readHeader(file: BinaryFile): { header: SafetensorsHeader; dataStart: number } {
  if (file.size < LENGTH_BYTES) throw new FormatError(`the file has only ${file.size} bytes`);
  const length = file.read(0, LENGTH_BYTES).readBigUInt64LE();
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new FormatError(`the header is too large (${length} bytes, at most ${MAX_HEADER_BYTES})`);
  }
  const dataStart = LENGTH_BYTES + Number(length);
  if (dataStart > file.size) {
    throw new FormatError(`the file is truncated: its header has ${length} bytes, the file ${file.size}`);
  }
  return { header: decodeHeader(file.read(LENGTH_BYTES, Number(length)), file.size - dataStart), dataStart };
}
