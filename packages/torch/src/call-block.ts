import { GeneratorHandle } from './generator-handle.js';
import { type Handle, type Native, native } from './native.js';
import type { Argument } from './operator.js';
import { TensorHandle } from './scope.js';

/** How an argument is laid out: its kind and a number, for the lists followed by so many more. As in arguments.h. */
const ABSENT = 0;
const NULL = 1;
const TENSOR = 2;
const NUMBER = 3;
const BOOLEAN = 4;
const GENERATOR = 5;
const OTHER = 6;
const EMPTY_LIST = 7;
const TENSORS = 8;
const NUMBERS = 9;
const BOOLEANS = 10;
const MIXED = 11;

/** Stands for no tensor in a list of handles, and as a result. */
export const NO_TENSOR: Handle = -1;

const LEAST_LENGTH = 1024;

/** Memory that both sides see: reading it costs the native side much less than asking for JavaScript's values. */
let block = new Float64Array(0);
let end = 0;
/** The addon's function itself: looking it up among all the others for each call would cost a tenth of the call. */
let call: Native['call'];

/**
 * Calls an operator with the first `count` arguments. What the native side returns, or for a plain call (results `P`)
 * the handle of the result.
 */
export function callOperator(operator: number, isPlain: boolean, args: readonly Argument[], count: number): unknown {
  makeRoom(2 + 2 * count);
  block[0] = operator;
  block[1] = count;
  end = 2;
  let others: unknown[] | undefined;
  for (let i = 0; i < count; i++) {
    const value = args[i];
    if (value instanceof TensorHandle) put(TENSOR, TensorHandle.of(value));
    else if (typeof value === 'number') put(NUMBER, value);
    else if (typeof value === 'boolean') put(BOOLEAN, value ? 1 : 0);
    else if (value === undefined) put(ABSENT, 0);
    else if (value === null) put(NULL, 0);
    else if (Array.isArray(value)) putList(value, 2 * (count - i));
    else if (value instanceof GeneratorHandle) put(GENERATOR, GeneratorHandle.of(value));
    else {
      others ??= [];
      put(OTHER, others.length);
      others.push(value);
    }
  }
  const returned = others === undefined ? call() : call(...others);
  return isPlain ? block[0] : returned;
}

function put(kind: number, number: number): void {
  block[end] = kind;
  block[end + 1] = number;
  end += 2;
}

function putList(list: readonly unknown[], roomForRest: number): void {
  makeRoom(end + list.length + roomForRest);
  const start = end;
  put(EMPTY_LIST, list.length);
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    let kind = MIXED;
    if (typeof item === 'number') {
      kind = NUMBERS;
      block[end++] = item;
    } else if (item instanceof TensorHandle) {
      kind = TENSORS;
      block[end++] = TensorHandle.of(item);
    } else if (item === null || item === undefined) {
      kind = TENSORS;
      block[end++] = NO_TENSOR;
    } else if (typeof item === 'boolean') {
      kind = BOOLEANS;
      block[end++] = item ? 1 : 0;
    } else {
      block[end++] = 0;
    }
    block[start] = i === 0 || block[start] === kind ? kind : MIXED;
  }
}

function makeRoom(length: number): void {
  if (length <= block.length) return;
  const larger = new Float64Array(Math.max(LEAST_LENGTH, 2 * length));
  larger.set(block);
  block = larger;
  native().setCallBlock(block);
  call = native().call;
}
