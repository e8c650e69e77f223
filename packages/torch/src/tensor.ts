import { TorchError } from './errors.js';
import * as operators from './generated/operators.js';
import { installMethods } from './generated/tensor-methods.js';
import { type Handle, native } from './native.js';
import { Operator, setTensorFactory } from './operator.js';
import { formatTensor } from './print.js';
import { TensorHandle } from './scope.js';

/** Element types. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool';

/** `cpu`, `cuda`, `cuda:1`. */
export type Device = string;

/** The order of the elements in memory; `preserve` keeps the input's. */
export type MemoryFormat = 'contiguous' | 'preserve' | 'channelsLast' | 'channelsLast3d';

/** What a loss does with its elements. */
export type Reduction = 'none' | 'mean' | 'sum';

/** Numbers in lists as deep as the tensor has dimensions. */
export type NestedNumbers = number | NestedNumbers[];

/** The elements of a tensor as JavaScript holds them. */
export type TensorData = Float32Array | Float64Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

const TO_DEVICE = new Operator<Tensor>('aten::to', 'device');
const TO_DTYPE = new Operator<Tensor>('aten::to', 'dtype');

/**
 * A tensor of libtorch. Operators are methods (`x.add(y)`) and functions (`add(x, y)`). Memory: a tensor belongs to
 * the {@link scope} in which it was made, and is freed with it.
 */
// The generated methods join by declaration merging, in generated/tensor-methods.ts.
export class Tensor extends TensorHandle {
  #shape: readonly number[] | undefined;
  #dtype: DType | undefined;

  /** Sizes of the dimensions. */
  get shape(): readonly number[] {
    this.#shape ??= Object.freeze(native().shape(TensorHandle.of(this)));
    if (this.disposed) this.#refuseDisposed();
    return this.#shape;
  }

  /** Steps in memory, in elements, from one index of a dimension to the next. */
  get strides(): readonly number[] {
    return native().strides(TensorHandle.of(this));
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get numel(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  get dtype(): DType {
    this.#dtype ??= native().dtype(TensorHandle.of(this)) as DType;
    if (this.disposed) this.#refuseDisposed();
    return this.#dtype;
  }

  get device(): Device {
    return native().device(TensorHandle.of(this));
  }

  /** Whether the elements lie in memory in row-major order without gaps. */
  get isContiguous(): boolean {
    return native().isContiguous(TensorHandle.of(this));
  }

  /** Whether operators on this tensor are recorded for the backward pass. */
  get requiresGrad(): boolean {
    return native().requiresGrad(TensorHandle.of(this));
  }

  /** Switches the recording for a leaf, in place. Returns this tensor. */
  requiresGrad_(flag = true): this {
    native().setRequiresGrad(TensorHandle.of(this), flag);
    return this;
  }

  /** Whether no recorded operator made this tensor; only leaves get a `.grad`. */
  get isLeaf(): boolean {
    return native().isLeaf(TensorHandle.of(this));
  }

  /** The recorded operator that made this tensor, such as `AddBackward0`, or null. */
  get gradFunctionName(): string | null {
    return native().gradFunctionName(TensorHandle.of(this));
  }

  /** The gradient that backward passes have summed up, or null. Every read makes a new Tensor of the same memory. */
  get grad(): Tensor | null {
    const handle = native().gradOf(TensorHandle.of(this));
    return handle === null ? null : new Tensor(handle);
  }

  set grad(grad: Tensor | null) {
    native().setGrad(TensorHandle.of(this), grad === null ? null : TensorHandle.of(grad));
  }

  /**
   * Sums up the gradients of this tensor with respect to all leaves that require one, in their `.grad`.
   *
   * @param gradient of the shape of this tensor; may be left out for a tensor of one element
   */
  backward(
    gradient?: Tensor | null,
    { retainGraph, createGraph = false }: { retainGraph?: boolean; createGraph?: boolean } = {},
  ): void {
    const gradients = gradient ? [TensorHandle.of(gradient)] : null;
    native().backward([TensorHandle.of(this)], gradients, retainGraph ?? createGraph, createGraph, null);
  }

  /** On another device or as another dtype; this very memory when nothing changes. Gradients flow through it. */
  to({ device, dtype }: { device?: Device; dtype?: DType }): Tensor {
    if (device !== undefined) return TO_DEVICE.call(this, device, dtype ?? this.dtype);
    return TO_DTYPE.call(this, dtype ?? this.dtype);
  }

  /**
   * The only element, as a number: 0 or 1 for a bool; integers beyond 2^53 are rounded.
   *
   * @throws TorchError `argument` when there is not exactly one element
   */
  item(): number {
    return native().item(TensorHandle.of(this));
  }

  /** A copy of the elements in row-major order; bool as 0 and 1, float16 and bfloat16 as float32. */
  data(): TensorData {
    switch (this.dtype) {
      case 'float32':
        return new Float32Array(this.#bytes());
      case 'float64':
        return new Float64Array(this.#bytes());
      case 'int64':
        return new BigInt64Array(this.#bytes());
      case 'int32':
        return new Int32Array(this.#bytes());
      case 'int16':
        return new Int16Array(this.#bytes());
      case 'int8':
        return new Int8Array(this.#bytes());
      case 'uint8':
      case 'bool':
        return new Uint8Array(this.#bytes());
      case 'float16':
      case 'bfloat16':
        return new Float32Array(this.#widenedBytes());
      default:
        throw new TorchError(`data() does not know the dtype ${this.dtype}`, { code: 'argument' });
    }
  }

  /** The elements as nested arrays of numbers, or one number for a tensor without dimensions. */
  toArray(): NestedNumbers {
    const values = Array.from(this.data() as ArrayLike<number | bigint>, Number);
    return nest(values, this.shape);
  }

  /** As PyTorch prints it. */
  override toString(): string {
    return formatTensor(this);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.disposed ? 'Tensor (disposed)' : this.toString();
  }

  override forgetShape(): void {
    this.#shape = undefined;
    this.#dtype = undefined;
  }

  #bytes(): ArrayBuffer {
    return native().toData(TensorHandle.of(this));
  }

  #widenedBytes(): ArrayBuffer {
    const wide = operators.detach(this).to({ dtype: 'float32' });
    const bytes = wide.#bytes();
    wide.dispose();
    return bytes;
  }

  #refuseDisposed(): never {
    throw new TorchError('the tensor has been disposed', {
      code: 'disposed',
      hint: 'the tensor left its scope or was disposed; return it from the scope or keep() it',
    });
  }
}

function nest(values: readonly number[], shape: readonly number[]): NestedNumbers {
  if (shape.length === 0) return values[0]!;
  const [size, ...rest] = shape;
  const step = rest.reduce((product, length) => product * length, 1);
  return Array.from({ length: size! }, (_, i) => nest(values.slice(i * step, (i + 1) * step), rest));
}

installMethods(Tensor.prototype);
setTensorFactory((handle: Handle) => new Tensor(handle));
