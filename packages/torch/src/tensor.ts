import { setTensorFactory as setCallbackFactory } from './callbacks.js';
import { readableStep, TorchError } from './errors.js';
import * as operators from './generated/operators.js';
import { installMethods } from './generated/tensor-methods.js';
import { type GradientHook, type HookHandle, registerHook } from './hooks.js';
import { at, type Index, setAt } from './indexing.js';
import { type Handle, native } from './native.js';
import { Operator, setTensorFactory } from './operator.js';
import { formatTensor } from './print.js';
import { TensorHandle } from './scope.js';
import { arrayOver } from './typed-arrays.js';

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

const ITEM = new Operator<number | boolean>('aten::item');
const REQUIRES_GRAD_ = new Operator<Tensor>('aten::requires_grad_');
const IS_LEAF = new Operator<boolean>('aten::is_leaf');
const RETAIN_GRAD = new Operator<void>('aten::retain_grad');
const TO_DEVICE = new Operator<Tensor>('aten::to', 'device');
const TO_DTYPE = new Operator<Tensor>('aten::to', 'dtype');

// The generated methods join by declaration merging, in generated/tensor-methods.ts.
/**
 * A tensor of libtorch. Operators are methods (`x.add(y)`) and functions (`add(x, y)`). Memory: a tensor belongs to
 * the {@link scope} in which it was made, and is freed with it.
 */
export class Tensor extends TensorHandle {
  #shape: readonly number[] | undefined;
  #dtype: DType | undefined;

  /** Sizes of the dimensions. */
  get shape(): readonly number[] {
    this.#shape ??= Object.freeze(native().shape(TensorHandle.of(this)));
    if (this.disposed) refuseDisposed();
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
    if (this.disposed) refuseDisposed();
    return this.#dtype;
  }

  get device(): Device {
    return native().device(TensorHandle.of(this));
  }

  /** Whether the elements lie in memory in row-major order without gaps. */
  get isContiguous(): boolean {
    const { shape, strides } = this;
    let expected = 1;
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      if (shape[dim] === 0) return true;
      if (shape[dim] !== 1 && strides[dim] !== expected) return false;
      expected *= shape[dim]!;
    }
    return true;
  }

  /** Whether operators on this tensor are recorded for the backward pass. */
  get requiresGrad(): boolean {
    return native().requiresGrad(TensorHandle.of(this));
  }

  /** Switches the recording for a leaf, in place. Returns this tensor. */
  requiresGrad_(flag = true): this {
    REQUIRES_GRAD_.call(this, flag);
    return this;
  }

  /** Whether no recorded operator made this tensor; only leaves get a `.grad`. */
  get isLeaf(): boolean {
    return IS_LEAF.call(this);
  }

  /** The recorded operator that made this tensor, such as `AddBackward0`, or null. */
  get gradFunctionName(): string | null {
    const name = native().gradFunctionName(TensorHandle.of(this));
    return name === '' ? null : readableStep(name);
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

  /**
   * Calls `hook` with the gradient of this tensor in every backward pass; what it returns, if anything, takes the
   * gradient's place. It must not change the gradient in place. What it throws arrives from `backward()` unchanged.
   * The hook is kept as long as the graph or this tensor needs it: one of a parameter, until the parameter is disposed
   * or the hook removed.
   *
   * @throws TorchError `operator` when this tensor does not require a gradient
   */
  registerHook(hook: GradientHook): HookHandle {
    return registerHook(this, hook);
  }

  /** Keeps the gradient of this tensor in its `.grad` although it is no leaf. */
  retainGrad(): void {
    RETAIN_GRAD.call(this);
  }

  /**
   * On another device, as another dtype, in another memory format; this very memory when nothing changes. Gradients
   * flow through it.
   */
  to({ device, dtype, memoryFormat }: { device?: Device; dtype?: DType; memoryFormat?: MemoryFormat }): Tensor {
    if (device !== undefined) return TO_DEVICE.call(this, device, dtype ?? this.dtype, false, false, memoryFormat);
    return TO_DTYPE.call(this, dtype ?? this.dtype, false, false, memoryFormat);
  }

  /**
   * Elements by indices as in Python: `x[1, 2:5, ..., None]` is `x.at(1, '2:5', '...', null)`. See {@link Index}.
   * Integers, slices and null give a view, tensors and lists a copy. Gradients flow through it.
   */
  at(...indices: Index[]): Tensor {
    return at(this, indices);
  }

  /**
   * Writes a value, broadcast, at indices as {@link at} takes them: `x[0, ::2] = 1` is `x.setAt([0, '::2'], 1)`.
   * Where the same place is indexed twice, one of its values stays. Returns this tensor.
   */
  setAt(indices: readonly Index[], value: Tensor | number): this {
    setAt(this, indices, value);
    return this;
  }

  /**
   * The only element, as a number: 0 or 1 for a bool; integers beyond 2^53 are rounded.
   *
   * @throws TorchError `argument` when there is not exactly one element
   */
  item(): number {
    if (this.numel !== 1) {
      throw new TorchError(`item() needs a tensor with one element, not ${this.dtype} [${this.shape.join(', ')}]`, {
        code: 'argument',
      });
    }
    return Number(ITEM.call(this));
  }

  /** A copy of the elements in row-major order; bool as 0 and 1, float16 and bfloat16 as float32. */
  data(): TensorData {
    const isHalf = this.dtype === 'float16' || this.dtype === 'bfloat16';
    const bytes = isHalf ? widenedBytes(this) : native().toData(TensorHandle.of(this));
    return arrayOver(bytes, isHalf ? 'float32' : this.dtype) as TensorData;
  }

  /**
   * The elements themselves, not a copy: writing to the array changes the tensor, without autograd's notice. bool as
   * bytes 0 and 1, float16 and bfloat16 as their 16 bits. The array keeps the memory alive, also after `dispose()`.
   *
   * @throws TorchError `argument` when the tensor is not contiguous on the CPU, or requires a gradient (`detach()` it)
   */
  sharedData(): TensorData | Uint16Array {
    const problem = whyNotShared(this);
    if (problem)
      throw new TorchError(`sharedData() cannot show a tensor that ${problem[0]}`, {
        code: 'argument',
        hint: problem[1],
      });
    return arrayOver(this.numel === 0 ? new ArrayBuffer(0) : native().sharedData(TensorHandle.of(this)), this.dtype);
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
}

// Not private methods: these would make every tensor slower to construct.

function whyNotShared(x: Tensor): [problem: string, hint: string] | undefined {
  if (x.device !== 'cpu') return [`is on ${x.device}`, 'copy it with data()'];
  if (x.requiresGrad) return ['requires a gradient', 'use x.detach().sharedData()'];
  if (!x.isContiguous) return ['is not contiguous', 'use x.contiguous().sharedData(), which may be a copy'];
  return undefined;
}

function widenedBytes(x: Tensor): ArrayBuffer {
  const wide = operators.detach(x).to({ dtype: 'float32' });
  const bytes = native().toData(TensorHandle.of(wide));
  wide.dispose();
  return bytes;
}

function refuseDisposed(): never {
  throw new TorchError('the tensor has been disposed', {
    code: 'disposed',
    hint: 'the tensor left its scope or was disposed; return it from the scope or keep() it',
  });
}

function nest(values: readonly number[], shape: readonly number[]): NestedNumbers {
  if (shape.length === 0) return values[0]!;
  const [size, ...rest] = shape;
  const step = rest.reduce((product, length) => product * length, 1);
  return Array.from({ length: size! }, (_, i) => nest(values.slice(i * step, (i + 1) * step), rest));
}

installMethods(Tensor.prototype);
setTensorFactory((handle: Handle) => new Tensor(handle));
setCallbackFactory((handle: Handle) => new Tensor(handle));
