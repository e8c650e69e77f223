import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { arange, grad, type Index, ones, scope, type Tensor, TorchError, tensor, zeros } from './index.js';
import { assertClose, type StoredTensor } from './testing/golden.js';

const golden = JSON.parse(readFileSync(new URL('../golden/binding/values.json', import.meta.url), 'utf8')) as {
  indexing: { read: Record<string, StoredTensor>; write: Record<string, StoredTensor> };
};

const cube = (): Tensor => arange(60, undefined, { dtype: 'float32' }).reshape([3, 4, 5]);
const rows = (): Tensor => tensor([2, 0], { dtype: 'int64' });
const columns = (): Tensor => tensor([[1], [3]], { dtype: 'int32' });
const mask = (): Tensor => arange(12).reshape([3, 4]).remainder(5).eq(0);

test('reading gives what Python gives', () => {
  scope(() => {
    const cases: Record<string, Index[]> = {
      '1': [1],
      '-1,2': [-1, 2],
      '1:,::2': ['1:', '::2'],
      '...,-2:': ['...', '-2:'],
      'null,0,...,null': [null, 0, '...', null],
      rows: [rows()],
      'rows,:,columns': [rows(), ':', columns()],
      '1:,rows,columns': ['1:', [2, 0], columns()],
      '1,rows,columns': [1, rows(), columns()],
      mask: [mask()],
      'mask,1:3': [mask(), '1:3'],
      '...,last': ['...', tensor([true, false, true, false, false])],
      'zero-dimensional': [tensor(2, { dtype: 'int64' }), 1],
    };
    assert.deepEqual(Object.keys(cases).sort(), Object.keys(golden.indexing.read).sort());
    for (const [name, indices] of Object.entries(cases)) {
      assertClose(cube().at(...indices), golden.indexing.read[name]!, name);
    }
  });
});

test('writing gives what Python gives', () => {
  scope(() => {
    const vector = arange(5, undefined, { dtype: 'float32' }).add(100);
    const cases: Record<string, [Index[], Tensor | number]> = {
      '0,::2 = -1': [[0, '::2'], -1],
      'rows,1 = vector': [[rows(), 1], vector],
      'mask = 7': [[mask()], 7],
      '... = matrix': [['...'], arange(20, undefined, { dtype: 'float32' }).reshape([4, 5])],
    };
    for (const [name, [indices, value]] of Object.entries(cases)) {
      assertClose(cube().setAt(indices, value), golden.indexing.write[name]!, name);
    }
  });
});

test('slices equal those of arrays for all bounds and steps', () => {
  const bound = fc.option(fc.integer({ min: -9, max: 9 }), { nil: '' as const });
  fc.assert(
    fc.property(bound, bound, fc.integer({ min: 1, max: 4 }), (start, end, step) => {
      const values = [0, 1, 2, 3, 4, 5, 6];
      const expected = values
        .slice(start === '' ? undefined : start, end === '' ? undefined : end)
        .filter((_, i) => i % step === 0);
      scope(() => assert.deepEqual(tensor(values).at(`${start}:${end}:${step}`).toArray(), expected));
    }),
  );
});

test('integers, slices and null give views, tensors copies; gradients flow through both', () => {
  scope(() => {
    const x = cube();
    x.at(0, '1:3').fill_(-1);
    x.at().select(0, 2).fill_(-2);
    x.at([1]).fill_(-3);
    assert.deepEqual(
      [x.at(0, 1, 0).item(), x.at(0, 3, 0).item(), x.at(2, 0, 0).item(), x.at(1, 0, 0).item()],
      [-1, 15, -2, 20],
    );
    const y = ones([3, 2], { requiresGrad: true });
    const [slope] = grad([y.at([0, 0, 2], '1:').sum()], [y]);
    assert.deepEqual(slope?.toArray(), [
      [0, 2],
      [0, 0],
      [0, 1],
    ]);
    const z = y.mul(2);
    z.setAt([0], 5).setAt([tensor([false, true, false])], y.at(2));
    assert.deepEqual(grad([z.sum()], [y])[0]?.toArray(), [
      [0, 0],
      [0, 0],
      [3, 3],
    ]);
  });
});

test('a mask with nothing in it, and an empty list', () => {
  scope(() => {
    assert.deepEqual(cube().at(zeros([3, 4], { dtype: 'bool' })).shape, [0, 5]);
    assert.deepEqual(cube().at([]).shape, [0, 4, 5]);
  });
});

test('misuse is refused', () => {
  scope(() => {
    const x = cube();
    const refused = (message: RegExp, ...indices: unknown[]): void =>
      assert.throws(
        () => x.at(...(indices as Index[])),
        (error) => error instanceof TorchError && message.test(error.message),
      );
    refused(/4 dimensions are indexed/, 0, 0, 0, 0);
    refused(/stands twice/, '...', '...');
    refused(/out of range/, 3);
    refused(/must be an integer/, 0.5);
    refused(/'::-1' is no slice/, '::-1');
    refused(/'0:1:0' is no slice/, '0:1:0');
    refused(/is no slice/, '1');
    refused(/is no slice/, undefined);
    refused(/float32 tensor cannot be an index/, tensor([1]));
    refused(/mask of shape \[2\] indexes dimensions of sizes \[3\]/, tensor([true, false]));
    refused(/out of bounds|out of range/, [7]);
    assert.throws(() => x.setAt([0], ones([3])), TorchError);
  });
});
