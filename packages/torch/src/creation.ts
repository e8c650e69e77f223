import { statSync } from 'node:fs';
import { TorchError } from './errors.js';
import type { Generator } from './generator.js';
import { native } from './native.js';
import { Operator } from './operator.js';
import { scope } from './scope.js';
import { type Device, type DType, Tensor } from './tensor.js';
import { dtypeOfArray, ITEM_BYTES } from './typed-arrays.js';

export { emptyLike, fullLike, onesLike, randintLike, randLike, randnLike, zerosLike } from './generated/operators.js';

/** Numbers or booleans in lists as deep as the tensor shall have dimensions. */
export type NestedValues = number | boolean | readonly NestedValues[];

export interface CreationOptions {
  /** Default float32, or as the function says. */
  dtype?: DType;
  /** Default `cpu`. */
  device?: Device;
  /** Record operators on it for the backward pass. Default false. */
  requiresGrad?: boolean;
}

/** For random numbers. */
export interface RandomOptions extends CreationOptions {
  /** Where they come from. Default: the device's own generator, which manualSeed() seeds. */
  generator?: Generator | null;
}

const EMPTY = new Operator<Tensor>('aten::empty', 'memory_format');
const ZEROS = new Operator<Tensor>('aten::zeros');
const ONES = new Operator<Tensor>('aten::ones');
const FULL = new Operator<Tensor>('aten::full');
const ARANGE = new Operator<Tensor>('aten::arange', 'start_step');
const LINSPACE = new Operator<Tensor>('aten::linspace');
const EYE = new Operator<Tensor>('aten::eye', 'm');
const RAND = new Operator<Tensor>('aten::rand', 'generator');
const RANDN = new Operator<Tensor>('aten::randn', 'generator');
const RANDINT = new Operator<Tensor>('aten::randint', 'low_generator');
const RANDPERM = new Operator<Tensor>('aten::randperm', 'generator');
const FROM_FILE = new Operator<Tensor>('aten::from_file');

/**
 * A tensor of the given values, copied. Plain numbers become float32, plain booleans bool; a typed array keeps its own
 * type (BigInt64Array int64, Float64Array float64, Uint16Array int32, Uint32Array int64).
 *
 * @param options.shape the shape of a flat list or typed array
 * @throws TorchError `argument` when the lists are ragged or do not fill the shape
 */
export function tensor(
  data: NestedValues | NodeJS.TypedArray,
  { shape, dtype, device, requiresGrad }: CreationOptions & { shape?: readonly number[] } = {},
): Tensor {
  const source = ArrayBuffer.isView(data) ? fromTypedArray(data) : fromNested(data, dtype);
  const sizes = shape ?? source.shape;
  const count = sizes.reduce((product, size) => product * size, 1);
  if (count !== source.data.length) {
    throw new TorchError(`${source.data.length} values do not fill the shape [${sizes.join(', ')}]`, {
      code: 'argument',
    });
  }
  return finish(
    scope(() => {
      const copy = new Tensor(native().fromData(source.data, sizes, source.dtype));
      return copy.to({ dtype: dtype ?? source.dtype, device });
    }),
    requiresGrad,
  );
}

/** Unset memory. */
export function empty(shape: readonly number[], options: CreationOptions = {}): Tensor {
  return finish(EMPTY.call(shape, options.dtype, null, options.device), options.requiresGrad);
}

/** Zeros. */
export function zeros(shape: readonly number[], options: CreationOptions = {}): Tensor {
  return finish(ZEROS.call(shape, options.dtype, null, options.device), options.requiresGrad);
}

/** Ones. */
export function ones(shape: readonly number[], options: CreationOptions = {}): Tensor {
  return finish(ONES.call(shape, options.dtype, null, options.device), options.requiresGrad);
}

/** One value everywhere; float32 unless a dtype is given. */
export function full(shape: readonly number[], value: number, options: CreationOptions = {}): Tensor {
  return finish(FULL.call(shape, value, options.dtype ?? 'float32', null, options.device), options.requiresGrad);
}

/**
 * start, start + step, ... up to but without end; with one argument from 0 to it. int64 when all are integers, else
 * float32.
 */
export function arange(
  start: number,
  end?: number,
  { step = 1, ...options }: CreationOptions & { step?: number } = {},
): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  return finish(ARANGE.call(from, to, step, options.dtype, null, options.device), options.requiresGrad);
}

/** Values at equal distances from start to end, both included. */
export function linspace(start: number, end: number, steps: number, options: CreationOptions = {}): Tensor {
  return finish(LINSPACE.call(start, end, steps, options.dtype, null, options.device), options.requiresGrad);
}

/** Ones on the diagonal of a matrix [rows, columns], square unless columns is given. */
export function eye(rows: number, { columns = rows, ...options }: CreationOptions & { columns?: number } = {}): Tensor {
  return finish(EYE.call(rows, columns, options.dtype, null, options.device), options.requiresGrad);
}

/** Uniform draws from [0, 1). */
export function rand(shape: readonly number[], options: RandomOptions = {}): Tensor {
  return finish(RAND.call(shape, options.generator ?? null, options.dtype, null, options.device), options.requiresGrad);
}

/** Draws from the standard normal distribution. */
export function randn(shape: readonly number[], options: RandomOptions = {}): Tensor {
  return finish(
    RANDN.call(shape, options.generator ?? null, options.dtype, null, options.device),
    options.requiresGrad,
  );
}

/** Integer draws from [low, high); int64 unless a dtype is given. */
export function randint(low: number, high: number, shape: readonly number[], options: RandomOptions = {}): Tensor {
  return finish(
    RANDINT.call(low, high, shape, options.generator ?? null, options.dtype ?? 'int64', null, options.device),
    options.requiresGrad,
  );
}

/** A random order of 0 to n - 1, int64. */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  return finish(
    RANDPERM.call(n, options.generator ?? null, options.dtype ?? 'int64', null, options.device),
    options.requiresGrad,
  );
}

/**
 * Maps a part of a file into memory as a tensor: nothing is read before it is used. Writing to the tensor does not
 * change the file.
 *
 * @param options.shape shape of the tensor
 * @param options.dtype type of the elements, little-endian. Default uint8
 * @param options.offsetBytes where the first element lies in the file. Default 0. An offset that is no multiple of the
 *   element's size costs a copy
 * @throws TorchError `io` when the file cannot be read or is too short
 */
export function fromFile(
  path: string,
  { shape, dtype = 'uint8', offsetBytes = 0 }: { shape: readonly number[]; dtype?: DType; offsetBytes?: number },
): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const itemBytes = ITEM_BYTES[dtype];
  const end = offsetBytes + count * itemBytes;
  if (!Number.isSafeInteger(offsetBytes) || offsetBytes < 0 || !Number.isSafeInteger(end)) {
    throw new TorchError(`offset ${offsetBytes} with shape [${shape.join(', ')}] is no place in a file`, {
      code: 'argument',
    });
  }
  const size = fileSize(path);
  if (end > size) {
    throw new TorchError(`${path} has ${size} bytes, but [${shape.join(', ')}] of ${dtype} needs ${end}`, {
      code: 'io',
      hint: 'the file is truncated, or the shape, dtype or offset is not the one it was written with',
    });
  }
  if (count === 0) return zeros(shape, { dtype });
  return scope(() => {
    const bytes = FROM_FILE.call(path, false, end, 'uint8').narrow(0, offsetBytes, end - offsetBytes);
    const aligned = offsetBytes % itemBytes === 0 ? bytes : bytes.clone();
    return (dtype === 'uint8' ? aligned : aligned.viewDtype(dtype)).view(shape);
  });
}

function fileSize(path: string): number {
  try {
    return statSync(path).size;
  } catch (cause) {
    throw new TorchError(`${path} cannot be read: ${(cause as Error).message}`, { code: 'io', cause });
  }
}

function finish(made: Tensor, requiresGrad: boolean | undefined): Tensor {
  return requiresGrad ? made.requiresGrad_() : made;
}

interface Source {
  data: NodeJS.TypedArray;
  dtype: DType;
  shape: readonly number[];
}

function fromTypedArray(view: ArrayBufferView): Source {
  const typed = (data: NodeJS.TypedArray, dtype: DType): Source => ({ data, dtype, shape: [data.length] });
  const dtype = dtypeOfArray(view);
  if (dtype !== undefined) return typed(view as NodeJS.TypedArray, dtype);
  if (view instanceof Uint16Array) return typed(Int32Array.from(view), 'int32');
  if (view instanceof Uint32Array) return typed(BigInt64Array.from(view, BigInt), 'int64');
  throw new TorchError(`a ${view.constructor.name} is no tensor data`, { code: 'argument' });
}

function fromNested(data: NestedValues, dtype: DType | undefined): Source {
  const shape = shapeOf(data);
  const values: (number | boolean)[] = [];
  flattenInto(values, data, shape, 0);
  if (dtype === undefined && values.length > 0 && values.every((value) => typeof value === 'boolean')) {
    return { data: Uint8Array.from(values, Number), dtype: 'bool', shape };
  }
  // float64 in between, so that integers up to 2^53 keep their value.
  if (dtype !== undefined && dtype !== 'float32')
    return { data: Float64Array.from(values, Number), dtype: 'float64', shape };
  return { data: Float32Array.from(values, Number), dtype: 'float32', shape };
}

function shapeOf(data: NestedValues): number[] {
  const shape: number[] = [];
  let level = data;
  while (typeof level === 'object') {
    shape.push(level.length);
    if (level.length === 0) break;
    level = level[0]!;
  }
  return shape;
}

function flattenInto(values: (number | boolean)[], data: NestedValues, shape: readonly number[], depth: number): void {
  if (typeof data !== 'object' || data === null) {
    if (depth !== shape.length || (typeof data !== 'number' && typeof data !== 'boolean')) throw ragged(shape);
    values.push(data);
    return;
  }
  if (!Array.isArray(data) || depth === shape.length || data.length !== shape[depth]) throw ragged(shape);
  for (const item of data) flattenInto(values, item, shape, depth + 1);
}

function ragged(shape: readonly number[]): TorchError {
  return new TorchError(`the values do not form a tensor of shape [${shape.join(', ')}]`, {
    code: 'argument',
    hint: 'all lists of one depth need the same length, and only numbers or booleans at the bottom',
  });
}
