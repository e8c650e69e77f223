import { zeros } from '../creation.js';
import type { DType, Tensor } from '../tensor.js';
import { countElements, itemBytes } from './dtypes.js';
import { FormatError } from './format-error.js';

/** How NumPy's element types are read: as the same type, or for unsigned ones as the next wider signed type. */
const TYPES: ReadonlyMap<string, { dtype: DType; unsignedOf?: DType }> = new Map([
  ['f2', { dtype: 'float16' }],
  ['f4', { dtype: 'float32' }],
  ['f8', { dtype: 'float64' }],
  ['i1', { dtype: 'int8' }],
  ['i2', { dtype: 'int16' }],
  ['i4', { dtype: 'int32' }],
  ['i8', { dtype: 'int64' }],
  ['u1', { dtype: 'uint8' }],
  ['u2', { dtype: 'int16', unsignedOf: 'int32' }],
  ['u4', { dtype: 'int32', unsignedOf: 'int64' }],
  ['b1', { dtype: 'bool' }],
] as const);

const NAMES: ReadonlyMap<DType, string> = new Map(
  [...TYPES].filter(([, { unsignedOf }]) => unsignedOf === undefined).map(([code, { dtype }]) => [dtype, code]),
);

/** An element type as `.npy` headers and pickles describe it, such as `<f4`. */
export interface NumpyType {
  /** The type of the same width that the bytes are read as. */
  dtype: DType;
  /** For unsigned integers that libtorch has not: the wider type that holds their values. */
  unsignedOf: DType | undefined;
  bigEndian: boolean;
}

/** @throws FormatError naming a type that no tensor can have: text, complex numbers, uint64, records, Python objects */
export function parseNumpyType(description: string): NumpyType {
  const type = TYPES.get(description.replace(/^[<>=|]/, ''));
  if (type === undefined) {
    throw new FormatError(
      `its elements are of NumPy's type '${description}', which no tensor here has`,
      'convert it with astype to float32, int64 or another of the types of tensors, and save it again',
    );
  }
  return { unsignedOf: undefined, ...type, bigEndian: description.startsWith('>') };
}

/** NumPy's description of a dtype, such as `<f4`; undefined for bfloat16, which NumPy has not. */
export function numpyTypeOf(dtype: DType): string | undefined {
  const code = NAMES.get(dtype);
  return code && (itemBytes(dtype) === 1 ? '|' : '<') + code;
}

/**
 * A tensor of an array's bytes: in place where they are little-endian, aligned and of a type of tensors, else copied.
 *
 * @param bytes uint8 [n]
 * @param fortranOrder whether the first index varies fastest
 */
export function tensorOfNumpy(
  bytes: Tensor,
  { dtype, unsignedOf, bigEndian }: NumpyType,
  { shape, fortranOrder }: { shape: readonly number[]; fortranOrder: boolean },
): Tensor {
  const width = itemBytes(dtype);
  const count = countElements(shape, 'the array');
  if (bytes.numel !== count * width) {
    throw new FormatError(`its ${bytes.numel} bytes do not fill the shape [${shape}] of ${width} bytes an element`);
  }
  if (count === 0) return zeros(shape, { dtype: unsignedOf ?? dtype });
  const little = bigEndian && width > 1 ? bytes.view([count, width]).flip([1]).view([-1]) : bytes;
  const elements = little.viewDtype(dtype);
  const values = unsignedOf ? elements.to({ dtype: unsignedOf }).bitwiseAnd(2 ** (8 * width) - 1) : elements;
  if (!fortranOrder) return values.view(shape);
  return values.view([...shape].reverse()).permute(shape.map((_, i) => shape.length - 1 - i));
}
