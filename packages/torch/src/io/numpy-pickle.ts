import { tensor } from '../creation.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';
import { FormatError } from './format-error.js';
import { type NumpyType, parseNumpyType, tensorOfNumpy } from './numpy-types.js';
import type { PythonObject, Stateful } from './pickle-values.js';

/** `numpy.dtype` as pickles make it: named first, its byte order told afterwards. */
export class NumpyDtype implements Stateful {
  readonly code: string;
  #byteOrder = '|';

  constructor(code: string) {
    this.code = code;
  }

  setState(state: unknown): void {
    const order = Array.isArray(state) ? state[1] : undefined;
    if (typeof order === 'string') this.#byteOrder = order;
  }

  /** As in `.npy` headers, such as `<f4`. */
  get description(): string {
    return this.#byteOrder + this.code;
  }

  /** The type, or undefined where no tensor has it. */
  get type(): NumpyType | undefined {
    try {
      return parseNumpyType(this.description);
    } catch {
      return undefined;
    }
  }
}

/** `numpy.ndarray` as pickles make it: empty first, then given (version, shape, dtype, Fortran order, bytes). */
export class NumpyArray implements Stateful {
  readonly #spend: (bytes: number) => void;
  #state: unknown;

  /** @param spend is told the size of the array, which will be copied */
  constructor(spend: (bytes: number) => void) {
    this.#spend = spend;
  }

  setState(state: unknown): void {
    this.#state = state;
    if (Array.isArray(state)) this.#spend(contentLength(state[4]));
  }

  /** The array as a tensor; an object that holds its elements where no tensor can (text, records, Python objects). */
  value(): Tensor | PythonObject<unknown> {
    if (!Array.isArray(this.#state)) throw new FormatError('the pickle has a NumPy array without contents');
    const [, shape, dtype, fortranOrder, content] = this.#state as unknown[];
    return numpyArray(content, dtype, shape, fortranOrder === true);
  }
}

/** Bytes of an array's content, or elements where it is a list of objects. */
export function contentLength(content: unknown): number {
  return typeof content === 'string' || content instanceof Uint8Array || Array.isArray(content) ? content.length : 0;
}

/** An array of the bytes of its elements. */
export function numpyArray(
  content: unknown,
  dtype: unknown,
  shape: unknown,
  fortranOrder: boolean,
): Tensor | PythonObject<unknown> {
  if (!(dtype instanceof NumpyDtype) || !isShape(shape)) {
    throw new FormatError('the pickle has a NumPy array without a shape or type');
  }
  const type = dtype.type;
  const bytes = asBytes(content);
  if (type === undefined || bytes === undefined) {
    return { className: `numpy.ndarray of ${dtype.description}`, args: [content, shape] };
  }
  return tensorOfNumpy(tensor(bytes), type, { shape, fortranOrder });
}

/** A NumPy scalar as a number; an object that holds its bytes where it is none. */
export function numpyScalar(dtype: unknown, content: unknown): number | boolean | PythonObject<unknown> {
  if (!(dtype instanceof NumpyDtype)) throw new FormatError('the pickle has a NumPy number without a type');
  const type = dtype.type;
  const bytes = asBytes(content);
  if (type === undefined || bytes === undefined) {
    return { className: `numpy scalar of ${dtype.description}`, args: [content] };
  }
  const value = scope(() => tensorOfNumpy(tensor(bytes), type, { shape: [], fortranOrder: false }).item());
  return type.dtype === 'bool' ? value !== 0 : value;
}

/** Bytes, which Python 2 writes as a string. */
function asBytes(content: unknown): Uint8Array | undefined {
  if (content instanceof Uint8Array) return content;
  return typeof content === 'string' ? new Uint8Array(Buffer.from(content, 'latin1')) : undefined;
}

function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
