import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nn, scope, type Tensor, tensor, zeros } from '../index.js';
import { assertClose, readGolden, type StoredTensor, toTensor } from '../testing/golden.js';

const { cases } = readGolden<{
  cases: {
    name: string;
    inputs: StoredTensor[];
    options: Record<string, StoredTensor | number | string | boolean>;
    loss: StoredTensor;
    gradient: StoredTensor;
  }[];
}>('nn/losses.json');

type Loss = (...args: unknown[]) => Tensor;
const functions = nn.functional as unknown as Record<string, Loss>;
type Options = Record<string, unknown>;
const modules: Record<string, (options: Options) => nn.Module> = {
  crossEntropy: (options) => new nn.CrossEntropyLoss(options),
  nllLoss: (options) => new nn.NLLLoss(options),
  binaryCrossEntropyWithLogits: (options) => new nn.BCEWithLogitsLoss(options),
  mseLoss: (options) => new nn.MSELoss(options),
  l1Loss: (options) => new nn.L1Loss(options),
  smoothL1Loss: (options) => new nn.SmoothL1Loss(options),
  huberLoss: (options) => new nn.HuberLoss(options),
  klDiv: (options) => new nn.KLDivLoss(options),
  cosineSimilarity: (options) => new nn.CosineSimilarity(options),
  cosineEmbeddingLoss: (options) => new nn.CosineEmbeddingLoss(options),
};

for (const { name, inputs, options, loss, gradient } of cases) {
  test(`${name} ${JSON.stringify(options)}: the function and the module equal PyTorch's, with the gradient`, () => {
    scope(() => {
      const [first, ...others] = inputs.map(toTensor);
      const decoded = Object.fromEntries(
        Object.entries(options).map(([key, value]) => [key, typeof value === 'object' ? toTensor(value) : value]),
      );
      const leaf = first!.requiresGrad_();
      const result = functions[name]!(leaf, ...others, decoded);
      result.sum().backward();
      assertClose(result, loss, 'loss');
      assertClose(leaf.grad!, gradient, 'gradient');
      const module = modules[name]!(decoded) as nn.Module & { forward: Loss };
      assertClose(module.call(leaf, ...others), loss, "module's loss");
    });
  });
}

test('class weights are buffers under the keys of PyTorch', () => {
  scope(() => {
    const loss = new nn.BCEWithLogitsLoss({ weight: tensor([1, 2]), posWeight: tensor([3, 4]) });
    assert.deepEqual([...loss.stateDict().keys()], ['weight', 'pos_weight']);
    assert.deepEqual([...new nn.CrossEntropyLoss().stateDict().keys()], []);
    loss.to({ dtype: 'float64' });
    assert.equal(loss.call(zeros([1, 2], { dtype: 'float64' }), zeros([1, 2], { dtype: 'float64' })).dtype, 'float64');
  });
});

test('elementwise losses refuse shapes that would be broadcast', () => {
  scope(() => {
    for (const name of ['binaryCrossEntropyWithLogits', 'mseLoss', 'l1Loss', 'smoothL1Loss', 'huberLoss', 'klDiv']) {
      assert.throws(() => functions[name]!(zeros([3, 1]), zeros([3])), {
        name: 'TorchError',
        code: 'argument',
        message: `${name}: input of shape [3,1], but target of shape [3]`,
      });
    }
  });
});

test('a class index beyond the classes is refused', () => {
  scope(() => {
    const target = tensor([0, 3], { dtype: 'int64' });
    assert.throws(() => nn.functional.crossEntropy(zeros([2, 3]), target), {
      name: 'TorchError',
      code: 'operator',
      message: /Target 3 is out of bounds/,
    });
  });
});
