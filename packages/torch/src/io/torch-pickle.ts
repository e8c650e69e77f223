import { zeros } from '../creation.js';
import { scope } from '../scope.js';
import type { DType, Tensor } from '../tensor.js';
import { countElements, itemBytes } from './dtypes.js';
import { FormatError } from './format-error.js';
import { contentLength, NumpyArray, NumpyDtype, numpyArray, numpyScalar } from './numpy-pickle.js';
import { type PickleHost, PythonGlobal, type PythonObject } from './pickle-values.js';

/** The bytes of a storage, uint8 [n], aligned to its elements, and where they begin in libtorch's own storage. */
export interface StorageBytes {
  bytes: Tensor;
  start: number;
}

/** Finds the bytes of a storage by its key. */
export type FindStorage = (key: string, byteCount: number, itemBytes: number) => StorageBytes;

/** What a persistent id of PyTorch stands for. */
export class Storage {
  /** Undefined for a type that no tensor here has, such as `ComplexFloatStorage`. */
  readonly dtype: DType | undefined;
  /** Bytes of one element; undefined for a type that is not known at all. */
  readonly itemBytes: number | undefined;
  readonly typeName: string;
  readonly key: string;
  /** Number of elements. */
  readonly count: number;

  constructor(typeName: string, key: string, count: number) {
    this.typeName = typeName;
    const type = typeName.split('.').at(-1)!;
    this.dtype = STORAGE_DTYPES.get(type);
    this.itemBytes = this.dtype === undefined ? FOREIGN_ITEM_BYTES.get(type) : itemBytes(this.dtype);
    this.key = key;
    this.count = count;
  }
}

const STORAGE_DTYPES: ReadonlyMap<string, DType> = new Map([
  ['DoubleStorage', 'float64'],
  ['FloatStorage', 'float32'],
  ['HalfStorage', 'float16'],
  ['BFloat16Storage', 'bfloat16'],
  ['LongStorage', 'int64'],
  ['IntStorage', 'int32'],
  ['ShortStorage', 'int16'],
  ['CharStorage', 'int8'],
  ['ByteStorage', 'uint8'],
  ['UntypedStorage', 'uint8'],
  ['BoolStorage', 'bool'],
] as const);

/** Storages that are known only so that they can be passed over. */
const FOREIGN_ITEM_BYTES: ReadonlyMap<string, number> = new Map([
  ['ComplexDoubleStorage', 16],
  ['ComplexFloatStorage', 8],
  ['QInt8Storage', 1],
  ['QUInt8Storage', 1],
  ['QInt32Storage', 4],
]);

/** PyTorch's names of dtypes, such as `torch.half`, as here. */
const DTYPES: ReadonlyMap<string, DType> = new Map([
  ...([...new Set(STORAGE_DTYPES.values())].map((dtype) => [`torch.${dtype}`, dtype]) as [string, DType][]),
  ['torch.double', 'float64'],
  ['torch.float', 'float32'],
  ['torch.half', 'float16'],
  ['torch.long', 'int64'],
  ['torch.int', 'int32'],
  ['torch.short', 'int16'],
]);

/** Constants that pickles name as if they were classes; they become their names. */
const CONSTANT =
  /^torch\.(complex\w+|q?u?int\w+|float\w+|strided|sparse_\w+|contiguous_format|preserve_format|channels_last\w*)$/;

/** A byte of a pickle is copied a few times at most where nothing is done over and over. */
const COPIES_PER_BYTE = 8;
const FREE_COPIES = 2 ** 20;

/** Says what PyTorch's, NumPy's and Python's own names in a checkpoint stand for. */
export class TorchHost implements PickleHost {
  readonly #findStorage: FindStorage;
  #budget: number;

  /** @param pickleBytes size of the pickle, which bounds the memory that is taken for what it describes */
  constructor(findStorage: FindStorage, pickleBytes: number) {
    this.#findStorage = findStorage;
    this.#budget = COPIES_PER_BYTE * pickleBytes + FREE_COPIES;
  }

  /** Counts what is copied, since a small pickle can ask for one large thing to be copied over and over. */
  spend(size: number): void {
    this.#budget -= size;
    if (this.#budget < 0) throw new FormatError('it asks for more memory than a file of its size needs');
  }

  /** ('storage', type, key, device, element count, view); legacy files also have ('module', class, file, source). */
  load(id: unknown): unknown {
    const [kind, type, key, , count, view] = Array.isArray(id) ? (id as unknown[]) : [];
    if (kind === 'module' && type instanceof PythonGlobal) return type;
    if (
      kind !== 'storage' ||
      !(type instanceof PythonGlobal) ||
      !(typeof key === 'string' || typeof key === 'number')
    ) {
      throw new FormatError('the pickle refers to something outside of it that is no storage');
    }
    if (view !== undefined && view !== null) {
      throw new FormatError('it has a view of a storage', 'load it with PyTorch and save it again');
    }
    return new Storage(type.name, String(key), asSize(count, 'the size of a storage'));
  }

  constant(name: string): unknown {
    return DTYPES.get(name) ?? (CONSTANT.test(name) ? name : undefined);
  }

  call(name: string, args: unknown[]): unknown {
    return FUNCTIONS.get(name)?.(args, this);
  }

  /** A tensor on a storage; an object that names the type where no tensor here has it. */
  tensor(
    storage: unknown,
    offset: unknown,
    size: unknown,
    stride: unknown,
    dtype?: unknown,
  ): Tensor | PythonObject<unknown> {
    if (!(storage instanceof Storage)) throw new FormatError('the pickle has a tensor without a storage');
    const type = dtype === undefined ? storage.dtype : DTYPES.get(`torch.${dtype}`);
    if (type === undefined || storage.dtype === undefined) {
      return { className: `torch.Tensor of ${typeof dtype === 'string' ? dtype : storage.typeName}`, args: [] };
    }
    const shape = asSizes(size, 'the shape of a tensor');
    const strides = asSizes(stride, 'the strides of a tensor');
    const start = asSize(offset, 'the offset of a tensor');
    const byteCount = storage.count * itemBytes(storage.dtype);
    const width = itemBytes(type);
    if (shape.length !== strides.length) throw new FormatError('the pickle has a tensor with too few strides');
    if (countElements(shape, 'a tensor') === 0) return zeros(shape, { dtype: type });
    const last = shape.reduce((sum, length, i) => sum + (length - 1) * strides[i]!, start);
    if (!(last < Math.floor(byteCount / width))) {
      throw new FormatError(`a tensor [${shape}] reaches beyond its storage '${storage.key}'`);
    }
    const found = this.#findStorage(storage.key, byteCount, width);
    return scope(() => {
      const elements = found.bytes.narrow(0, 0, byteCount - (byteCount % width)).viewDtype(type);
      return elements.asStrided(shape, strides, { storageOffset: found.start / width + start });
    });
  }
}

type PythonFunction = (args: unknown[], host: TorchHost) => unknown;

const rebuildTensor: PythonFunction = ([storage, offset, size, stride], host) =>
  host.tensor(storage, offset, size, stride);

/** Of a list of pairs, a dictionary (itself: what is read is data that nothing here changes), or nothing. */
function dictionary(pairs: unknown, host: TorchHost): Map<unknown, unknown> {
  if (pairs instanceof Map) return pairs;
  if (pairs === undefined || pairs === null) return new Map();
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw new FormatError('the pickle makes a dictionary of what are no pairs');
  }
  host.spend(pairs.length);
  return new Map(pairs as [unknown, unknown][]);
}

function list(values: unknown): unknown[] {
  if (values === undefined) return [];
  if (!Array.isArray(values)) throw new FormatError('the pickle makes a list of what is none');
  return values;
}

/** Bytes that protocol 2 writes as text: `_codecs.encode(text, 'latin1')`. */
const encoded: PythonFunction = ([text = ''], host) => {
  if (typeof text !== 'string') return text instanceof Uint8Array ? text : undefined;
  host.spend(text.length);
  return new Uint8Array(Buffer.from(text, 'latin1'));
};

function device([type, index]: unknown[]): string | undefined {
  if (typeof type !== 'string') return undefined;
  return typeof index === 'number' ? `${type}:${index}` : type;
}

const first: PythonFunction = ([value]) => value ?? null;
const makeList: PythonFunction = ([values]) => list(values);
const makeSet: PythonFunction = ([values], host) => {
  if (values instanceof Set) return values;
  const items = list(values);
  host.spend(items.length);
  return new Set(items);
};
const makeDictionary: PythonFunction = ([pairs], host) => dictionary(pairs, host);
const makeDefaultDictionary: PythonFunction = ([, pairs], host) => dictionary(pairs, host);

const numpyFunctions = (module: string): [string, PythonFunction][] => [
  [`${module}.multiarray._reconstruct`, (_, host) => new NumpyArray((bytes) => host.spend(bytes))],
  [`${module}.multiarray.scalar`, ([dtype, content]) => numpyScalar(dtype, content)],
  [
    `${module}.numeric._frombuffer`,
    ([content, dtype, shape, order], host) => {
      host.spend(contentLength(content));
      return numpyArray(content, dtype, shape, order === 'F');
    },
  ],
];

/** Everything that a checkpoint may call. What each does is written here; none of Python's code is involved. */
const FUNCTIONS: ReadonlyMap<string, PythonFunction> = new Map<string, PythonFunction>([
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  [
    'torch._utils._rebuild_tensor_v3',
    ([storage, offset, size, stride, , , dtype], host) => host.tensor(storage, offset, size, stride, dtype),
  ],
  ['torch._utils._rebuild_parameter', first],
  ['torch._utils._rebuild_parameter_with_state', first],
  [
    // (function, class, its arguments, state): a subclass of Tensor is read as a Tensor
    'torch._tensor._rebuild_from_type_v2',
    ([rebuild, , args], host) => {
      if (!(rebuild instanceof PythonGlobal) || !Array.isArray(args)) return undefined;
      return rebuild.name.startsWith('torch._utils.') ? host.call(rebuild.name, args) : undefined;
    },
  ],
  ['torch.Size', makeList],
  ['torch.device', device],
  ['torch.serialization._get_layout', first],
  ['torch.jit._pickle.build_intlist', makeList],
  ['torch.jit._pickle.build_doublelist', makeList],
  ['torch.jit._pickle.build_boollist', makeList],
  ['torch.jit._pickle.build_tensorlist', makeList],
  ['torch.jit._pickle.restore_type_tag', first],
  ['collections.OrderedDict', makeDictionary],
  ['collections.defaultdict', makeDefaultDictionary],
  ['collections.Counter', makeDictionary],
  ...['builtins', '__builtin__'].flatMap((module): [string, PythonFunction][] => [
    [`${module}.dict`, makeDictionary],
    [`${module}.list`, makeList],
    [`${module}.set`, makeSet],
    [`${module}.frozenset`, makeSet],
    [`${module}.bytes`, encoded],
    [`${module}.bytearray`, encoded],
  ]),
  ['_codecs.encode', encoded],
  ['numpy.dtype', ([code]) => (typeof code === 'string' ? new NumpyDtype(code) : undefined)],
  ...numpyFunctions('numpy.core'),
  ...numpyFunctions('numpy._core'),
]);

function asSize(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new FormatError(`${what} is no whole number`);
  }
  return value;
}

function asSizes(value: unknown, what: string): number[] {
  if (!Array.isArray(value)) throw new FormatError(`${what} is no list of whole numbers`);
  return value.map((size) => asSize(size, what));
}
