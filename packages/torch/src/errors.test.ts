import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOperator } from './call-block.js';
import {
  type DType,
  full,
  grad,
  linear,
  matmul,
  memory,
  op,
  scope,
  stack,
  type Tensor,
  TorchError,
  type TorchErrorCode,
  tensor,
  zeros,
} from './index.js';
import { native } from './native.js';

/** Asserts that `body` throws a TorchError with this code, whose message matches, and that no tensor leaks. */
function assertRefused(body: () => unknown, code: TorchErrorCode, message: RegExp): TorchError {
  const before = memory().liveTensors;
  let thrown: unknown;
  scope(() => {
    try {
      body();
    } catch (error) {
      thrown = error;
    }
  });
  assert.ok(thrown instanceof TorchError, `expected a TorchError, got ${thrown}`);
  assert.equal(thrown.code, code);
  assert.match(thrown.message, message);
  assert.doesNotMatch(thrown.message, /Exception raised|frame #|\.cpp:/);
  assert.equal(memory().liveTensors, before);
  return thrown;
}

test('a wrong shape names the operator, the tensors and what to do', () => {
  const error = assertRefused(() => matmul(zeros([2, 3]), zeros([4, 5])), 'operator', /matmul: .*2x3 and 4x5/);
  assert.equal(error.operator, 'aten::matmul');
  assert.deepEqual(error.tensors, ['self float32 [2, 3]', 'other float32 [4, 5]']);
  assert.ok(error.hint);
});

test('tensors in lists are named with their place', () => {
  const error = assertRefused(() => stack([zeros([2]), zeros([3])]), 'operator', /stack/);
  assert.deepEqual(error.tensors, ['tensors[0] float32 [2]', 'tensors[1] float32 [3]']);
});

test('a wrong dtype has a hint', () => {
  const error = assertRefused(
    () => linear(zeros([2, 3], { dtype: 'int64' }), zeros([4, 3])),
    'operator',
    /int64 \[2, 3\]/,
  );
  assert.match(error.hint!, /dtype/);
});

test('a disposed tensor is refused wherever it is used', () => {
  const gone = zeros([2]);
  gone.dispose();
  const uses: (() => unknown)[] = [
    () => gone.add(1),
    () => zeros([2]).add(gone),
    () => stack([zeros([2]), gone]),
    () => gone.shape,
    () => gone.dtype,
    () => gone.data(),
    () => gone.item(),
    () => gone.grad,
    () => gone.backward(),
    () => gone.requiresGrad_(),
    () => grad([gone], [gone]),
    () => String(gone),
  ];
  for (const use of uses) assertRefused(use, 'disposed', /disposed/);
});

test('shape and dtype that were read before are refused as well after dispose', () => {
  const gone = zeros([2]);
  assert.deepEqual([gone.shape, gone.dtype], [[2], 'float32']);
  gone.dispose();
  assertRefused(() => gone.shape, 'disposed', /disposed/);
  assertRefused(() => gone.dtype, 'disposed', /disposed/);
});

test('a handle of a slot that has a new owner is refused', () => {
  scope(() => {
    const handle = native().fromData(new Float32Array(1), [], 'float32');
    native().release(handle);
    const successor = zeros([1]);
    assertRefused(() => native().shape(handle), 'disposed', /disposed/);
    native().release(handle);
    assert.equal(successor.item(), 0);
  });
});

test('foreign objects and forged handles are refused, never dereferenced', () => {
  const foreign = [{}, [], 'x', 5, Symbol.iterator, () => 0, { handle: 1 }, new Map()];
  for (const value of foreign) {
    assertRefused(() => matmul(zeros([1, 1]), value as unknown as Tensor), 'argument', /must be a Tensor/);
  }
  assertRefused(() => stack([zeros([1]), {} as unknown as Tensor]), 'argument', /list of Tensors/);
  assertRefused(() => stack(5 as unknown as Tensor[]), 'argument', /list of Tensors/);
  for (const forged of [0, 1, -1, 0.5, 2 ** 26, 2 ** 53, 1e300, Number.NaN, Infinity, -Infinity]) {
    assertRefused(() => native().shape(forged), 'disposed', /disposed|never/);
    native().release(forged);
  }
  for (const value of [{}, null, undefined, 'x', true]) {
    assertRefused(() => native().shape(value as unknown as number), 'argument', /tensor/);
  }
  for (const operator of [1e9, -1, Number.NaN]) {
    assertRefused(() => callOperator(operator, false, [], 0), 'argument', /operator/);
  }
});

test('an unknown operator or overload is not found', () => {
  assertRefused(() => op('aten::no_such_operator')(), 'not-found', /no_such_operator/);
  assertRefused(() => op('aten::add.NoSuchOverload')(), 'not-found', /add\.NoSuchOverload/);
});

test('arguments of the wrong kind, missing or too many are named', () => {
  assertRefused(() => zeros([2]).narrow(0, 0.5, 1), 'argument', /'start' must be an integer/);
  assertRefused(() => zeros([2]).view(['2'] as unknown as number[]), 'argument', /'size' must be a list of integers/);
  assertRefused(() => zeros([2]).softmax('0' as unknown as number), 'argument', /'dim' must be an integer/);
  assertRefused(() => zeros([2], { dtype: 'float99' as DType }), 'argument', /float99/);
  assertRefused(() => zeros([2], { device: 'toaster' }), 'operator', /toaster/);
  assertRefused(() => op('aten::add.Tensor')(zeros([1])), 'argument', /'other' is missing/);
  assertRefused(() => op('aten::add.Tensor')(zeros([1]), null), 'argument', /'other' must not be null/);
  assertRefused(() => op('aten::neg')(zeros([1]), 1, 2), 'argument', /takes 1 arguments, not 3/);
});

test('autograd: no gradient, a second backward pass, a vector without gradient', () => {
  assertRefused(() => zeros([1]).backward(), 'operator', /does not require grad/);
  const error = assertRefused(
    () => {
      const x = tensor([2], { requiresGrad: true });
      const y = x.mul(x).sum();
      y.backward();
      y.backward();
    },
    'operator',
    /second time/,
  );
  assert.match(error.hint!, /retainGraph/);
  assertRefused(() => zeros([2], { requiresGrad: true }).mul(2).backward(), 'operator', /scalar/);
});

test('data that does not fit is refused', () => {
  assertRefused(() => tensor([1, 2, 3], { shape: [2, 2] }), 'argument', /3 values/);
  assertRefused(() => tensor([[1, 2], [3]]), 'argument', /do not form a tensor/);
  assertRefused(() => tensor([[1, 2], 3]), 'argument', /do not form a tensor/);
  assertRefused(() => tensor(['a'] as unknown as number[]), 'argument', /do not form a tensor/);
  assertRefused(() => zeros([2]).item(), 'argument', /one element/);
  assertRefused(() => full([-1], 0), 'operator', /negative/);
  assertRefused(() => native().fromData(new Float32Array(2), [3], 'float32'), 'argument', /bytes/);
});

test('more memory than there is gives an error', () => {
  assertRefused(() => zeros([2 ** 50]), 'memory', /memory/);
});
