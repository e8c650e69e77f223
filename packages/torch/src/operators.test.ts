import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as torch from './index.js';
import { type DType, Tensor, tensor } from './index.js';

interface StoredTensor {
  tensor: (number | string)[];
  shape: number[];
  dtype: DType;
}

type Stored = StoredTensor | { list: Stored[] } | number | string | boolean | null | number[];

interface Case {
  name: string;
  args: Stored[];
  options: object | null;
  result: Stored;
  /** Of the floating-point tensors among the arguments, in order; null where there is none. */
  grads?: (StoredTensor | null)[];
}

const golden = JSON.parse(readFileSync(new URL('../golden/operators.json', import.meta.url), 'utf8')) as {
  cases: Case[];
  printed: { value: StoredTensor; text: string }[];
};

const functions = torch as unknown as Record<string, (...args: unknown[]) => unknown>;

function decodeTensor({ tensor: values, shape, dtype }: StoredTensor): Tensor {
  return tensor(values.map(toNumber), { shape, dtype });
}

/** Python writes True, nan and inf. */
function toNumber(text: number | string): number {
  const words: Record<string, number> = { True: 1, False: 0, nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
  return words[text] ?? Number(text);
}

function decode(stored: Stored): unknown {
  if (stored === null || typeof stored !== 'object' || Array.isArray(stored)) return stored;
  return 'list' in stored ? stored.list.map(decode) : decodeTensor(stored);
}

function assertMatches(actual: unknown, expected: Stored, what: string): void {
  if (expected !== null && typeof expected === 'object' && 'list' in expected) {
    assert.ok(Array.isArray(actual), `${what} is a list`);
    assert.equal(actual.length, expected.list.length);
    for (const [i, item] of expected.list.entries()) assertMatches(actual[i], item, `${what}[${i}]`);
    return;
  }
  assert.ok(actual instanceof Tensor, `${what} is a tensor`);
  const stored = expected as StoredTensor;
  assert.deepEqual(actual.shape, stored.shape, `${what}: shape`);
  assert.equal(actual.dtype, stored.dtype, `${what}: dtype`);
  const values = Array.from(actual.detach().data() as ArrayLike<number | bigint>, Number);
  for (const [i, value] of stored.tensor.map(Number).entries()) {
    const tolerance = stored.dtype === 'float32' ? 2e-5 * Math.max(1, Math.abs(value)) : 0;
    assert.ok(Math.abs(values[i]! - value) <= tolerance, `${what}[${i}]: ${values[i]}, PyTorch says ${value}`);
  }
}

for (const [index, { name, args, options, result, grads }] of golden.cases.entries()) {
  test(`${name} (case ${index}) gives PyTorch's values${grads ? ' and gradients' : ''}`, () => {
    torch.scope(() => {
      const inputs = args.map(decode);
      const leaves = grads ? inputs.flat().filter(isFloating) : [];
      for (const leaf of leaves) leaf.requiresGrad_();
      const actual = functions[name]!(...inputs, ...(options ? [options] : []));
      assertMatches(actual, result, name);
      if (!grads) return;
      const output = (Array.isArray(actual) ? actual[0] : actual) as Tensor;
      const weight = torch.linspace(-1, 1, output.numel).reshape(output.shape);
      output.mul(weight).sum().backward();
      for (const [argument, expected] of grads.entries()) {
        const { grad } = leaves[argument]!;
        if (expected === null) assert.equal(grad, null);
        else assertMatches(grad, expected, `gradient ${argument} of ${name}`);
      }
    });
  });
}

function isFloating(value: unknown): value is Tensor {
  return value instanceof Tensor && value.dtype === 'float32';
}

test('the golden file covers at least 200 operators', () => {
  assert.ok(new Set(golden.cases.map(({ name }) => name)).size >= 200);
});

for (const { value, text } of golden.printed) {
  test(`prints as PyTorch does: ${text.slice(0, 50).replaceAll('\n', ' ')}`, () => {
    torch.scope(() => assert.equal(String(decodeTensor(value)), text));
  });
}

test('methods are the functions with the tensor as first argument', () => {
  torch.scope(() => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    assert.deepEqual(x.add(1).mul(x).sum(0, { keepdim: true }).toArray(), [[14, 26]]);
    assert.deepEqual(x.var(1, { correction: 0 }).toArray(), [0.25, 0.25]);
    assert.deepEqual(torch.var(x, 1, { correction: 0 }).toArray(), [0.25, 0.25]);
  });
});

test('an in-place operator returns the very tensor and its new shape', () => {
  torch.scope(() => {
    const x = tensor([1, 2]);
    assert.deepEqual(x.shape, [2]);
    assert.equal(x.unsqueeze_(0), x);
    assert.deepEqual(x.shape, [1, 2]);
    assert.equal(x.add_(1), x);
    assert.deepEqual(x.toArray(), [[2, 3]]);
  });
});

test('op() reaches any operator: lists, scalars, optional lists, results of every kind', () => {
  torch.scope(() => {
    const a = tensor([1, 2]);
    const b = tensor([3]);
    torch.op('aten::_foreach_add_.ScalarList')([a, b], [1, 0.5]);
    assert.deepEqual([a.toArray(), b.toArray()], [[2, 3], [3.5]]);
    assert.equal(torch.op('aten::equal')(a, a), true);
    assert.equal(torch.op('aten::size.int')(a, 0), 2);
    const rows = torch.op('aten::index.Tensor')(torch.eye(3), [null, tensor([0, 2], { dtype: 'int64' })]) as Tensor;
    assert.deepEqual(rows.shape, [3, 2]);
  });
});
