import { TorchError } from '../errors.js';
import { type DType, Tensor } from '../tensor.js';
import { itemBytes } from './dtypes.js';
import { PickleWriter } from './pickle-writer.js';
import { type AsyncFileOptions, bytesOf, type Piece, whileHolding, writePieces, writePiecesAsync } from './pieces.js';
import { ZipWriter } from './zip-writer.js';

/** What {@link savePth} can write. Maps and plain objects become dictionaries, arrays lists, null None. */
export type PthSavable =
  | null
  | boolean
  | number
  | bigint
  | string
  | Tensor
  | readonly PthSavable[]
  | ReadonlyMap<string | number | boolean, PthSavable>
  | { readonly [name: string]: PthSavable };

const STORAGE_CLASS: Readonly<Record<DType, string>> = {
  float64: 'DoubleStorage',
  float32: 'FloatStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  int64: 'LongStorage',
  int32: 'IntStorage',
  int16: 'ShortStorage',
  int8: 'CharStorage',
  uint8: 'ByteStorage',
  bool: 'BoolStorage',
};
const MOST_DEPTH = 100;

/**
 * Writes a checkpoint that PyTorch reads with `torch.load`, also with `weights_only=True`: a zip archive as torch.save
 * writes since 1.6. Each tensor is written from the CPU in row-major order; one that occurs several times is stored
 * once. The file appears at `path` complete or not at all.
 *
 * @throws TorchError `io` when it cannot be written, `argument` naming the place of what a checkpoint cannot hold
 */
export function savePth(path: string, value: PthSavable): void {
  const { pickle, storages } = new Pickler(value);
  writePieces(path, FORMAT, archiveOf(pickle, [...storages.keys()]));
}

/**
 * {@link savePth} beside the event loop: the same file, written and flushed in Node's thread pool. The tensors may be
 * disposed of meanwhile; their values must not change before the promise is settled.
 *
 * @throws as {@link savePth}; the signal's reason when it aborts, which leaves an older file as it was
 */
export async function savePthAsync(path: string, value: PthSavable, options: AsyncFileOptions = {}): Promise<void> {
  const { pickle, storages } = new Pickler(value);
  await whileHolding([...storages.keys()], (held) => writePiecesAsync(path, FORMAT, archiveOf(pickle, held), options));
}

const FORMAT = 'PyTorch';

/** The archive of a pickle and of the tensors that it calls by their numbers. */
function* archiveOf(pickle: Buffer, storages: readonly Tensor[]): Generator<Piece> {
  const archive = new ZipWriter();
  const text = (name: string, bytes: Buffer) => archive.add(`archive/${name}`, bytes.length, [bytes]);
  yield* text('data.pkl', pickle);
  yield* text('byteorder', Buffer.from('little'));
  for (const [key, tensor] of storages.entries()) {
    yield* archive.add(`archive/data/${key}`, tensor.numel * itemBytes(tensor.dtype), bytesOf(tensor));
  }
  yield* text('version', Buffer.from('3\n'));
  yield* archive.finish();
}

class Pickler {
  /** The tensors to be stored, and the key of each: its number among them. */
  readonly storages = new Map<Tensor, string>();
  readonly pickle: Buffer;
  readonly #out = new PickleWriter();

  constructor(value: PthSavable) {
    this.#write(value, []);
    this.pickle = this.#out.finish();
  }

  #write(value: PthSavable, path: readonly string[]): void {
    if (path.length > MOST_DEPTH) throw unsavable(path.slice(0, 5), 'is nested too deep, or contains itself');
    if (value === null) this.#out.none();
    else if (typeof value === 'boolean') this.#out.boolean(value);
    else if (typeof value === 'number') this.#out.number(value);
    else if (typeof value === 'bigint') this.#out.integer(value);
    else if (typeof value === 'string') this.#out.string(value);
    else if (value instanceof Tensor) this.#tensor(value);
    else if (value instanceof Map) this.#dictionary(value, path);
    else if (Array.isArray(value)) this.#list(value, path);
    else if (isPlainObject(value)) this.#dictionary(Object.entries(value), path);
    else throw unsavable(path, `is ${describe(value)}, which PyTorch cannot read without this class`);
  }

  #list(values: readonly PthSavable[], path: readonly string[]): void {
    this.#out.list(() => {
      for (const [i, value] of values.entries()) this.#write(value, [...path, String(i)]);
    });
  }

  #dictionary(entries: Iterable<[string | number | boolean, PthSavable]>, path: readonly string[]): void {
    this.#out.dictionary(() => {
      for (const [key, value] of entries) {
        this.#write(key, path);
        this.#write(value, [...path, String(key)]);
      }
    });
  }

  #tensor(tensor: Tensor): void {
    const key = this.storages.get(tensor) ?? String(this.storages.size);
    this.storages.set(tensor, key);
    const out = this.#out;
    const sizes = (values: readonly number[]) =>
      out.tuple(() => {
        for (const size of values) out.number(size);
      });
    out.call('torch._utils', '_rebuild_tensor_v2', () => {
      out.persistent(() => {
        out.string('storage');
        out.global('torch', STORAGE_CLASS[tensor.dtype]);
        out.string(key);
        out.string('cpu');
        out.number(tensor.numel);
      });
      out.number(0);
      sizes(tensor.shape);
      sizes(rowMajorStrides(tensor.shape));
      out.boolean(false);
      out.call('collections', 'OrderedDict', () => {});
    });
  }
}

function rowMajorStrides(shape: readonly number[]): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * Math.max(size, 1), 1));
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  return typeof value === 'object' ? `a ${value?.constructor.name}` : `a ${typeof value}`;
}

function unsavable(path: readonly string[], problem: string): TorchError {
  return new TorchError(`the value at '${path.join('.')}' ${problem}`, {
    code: 'argument',
    hint: 'save tensors, numbers, strings, booleans, null, and arrays, Maps and plain objects of them',
  });
}
