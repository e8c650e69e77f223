import { markAsUntransferable } from 'node:worker_threads';
import { hold, notifyWhenFree } from './callbacks.js';
import { zeros } from './creation.js';
import { TorchError } from './errors.js';
import { native } from './native.js';
import { type DType, Tensor } from './tensor.js';
import { dtypeOfArray, ITEM_BYTES } from './typed-arrays.js';

/**
 * A tensor in the memory of a typed array, nothing copied: what is written to one shows in the other. The array's
 * buffer lives as long as any tensor in its memory, and can from now on not be transferred to another thread; share a
 * SharedArrayBuffer instead. The buffer of a WebAssembly.Memory must not be used, because it moves when it grows.
 *
 * @param array its own dtype, or with `dtype` its bytes read as another one: a Uint16Array as float16 or bfloat16, a
 *   Uint8Array or Buffer as anything (as bool only of 0 and 1)
 * @param options.shape default: one dimension with all elements
 * @param options.whenFree called, once, when no tensor is in this memory any more, so that it can be used for something
 *   else; must not throw
 * @throws TorchError `argument` when the array does not fill the shape, begins at an odd place for its dtype, or lies in
 *   a resizable buffer
 */
export function fromBuffer(
  array: NodeJS.TypedArray,
  {
    dtype = dtypeOfArray(array),
    shape,
    whenFree,
  }: { dtype?: DType; shape?: readonly number[]; whenFree?: () => void } = {},
): Tensor {
  if (dtype === undefined) {
    throw refusal(`a ${array.constructor.name} needs a dtype`, 'for instance { dtype: "bfloat16" }');
  }
  const itemBytes = ITEM_BYTES[dtype];
  const sizes = shape ?? [array.byteLength / itemBytes];
  const count = sizes.reduce((product, size) => product * size, 1);
  if (count * itemBytes !== array.byteLength || !Number.isInteger(count)) {
    throw refusal(`${array.byteLength} bytes do not fill [${sizes.join(', ')}] of ${dtype}`);
  }
  if (array.byteOffset % itemBytes !== 0) {
    throw refusal(
      `the array begins at byte ${array.byteOffset}, which is no place for ${dtype}`,
      'copy it with slice()',
    );
  }
  if (count === 0) {
    whenFree?.();
    return zeros(sizes, { dtype });
  }
  holdInPlace(array.buffer);
  return new Tensor(
    hold(array.buffer, (id) => {
      const handle = native().fromBuffer(array, sizes, dtype, id);
      if (whenFree) notifyWhenFree(id, whenFree);
      return handle;
    }),
  );
}

/** Prevents that the memory goes away under the tensor while JavaScript still holds the buffer. */
function holdInPlace(buffer: ArrayBufferLike): void {
  if (buffer instanceof SharedArrayBuffer) return;
  if ((buffer as { resizable?: boolean }).resizable) {
    throw refusal('the array lies in a resizable buffer', 'make the ArrayBuffer without maxByteLength');
  }
  markAsUntransferable(buffer);
  // Node's mark does not stop these newer methods.
  for (const name of ['transfer', 'transferToFixedLength']) {
    Object.defineProperty(buffer, name, { value: refuseTransfer, configurable: true });
  }
}

function refuseTransfer(): never {
  throw new TypeError('a tensor lives in this buffer, so it cannot be transferred');
}

function refusal(problem: string, hint?: string): TorchError {
  return new TorchError(`fromBuffer: ${problem}`, { code: 'argument', hint });
}
