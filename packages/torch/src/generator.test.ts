import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  bernoulli,
  empty,
  full,
  Generator,
  manualSeed,
  multinomial,
  ones,
  rand,
  randint,
  randn,
  randperm,
  scope,
  type Tensor,
  TorchError,
} from './index.js';
import { assertClose, type StoredTensor } from './testing/golden.js';

const golden = JSON.parse(readFileSync(new URL('../golden/binding/values.json', import.meta.url), 'utf8')) as {
  generators: Record<string, StoredTensor>;
};

test('a seeded generator gives the numbers that it gives in PyTorch', () => {
  scope(() => {
    const generator = new Generator().manualSeed(11);
    const drawn: Record<string, Tensor> = {
      randn: randn([5], { generator }),
      rand: rand([3], { generator }),
      randint: randint(2, 90, [4], { generator }),
      randperm: randperm(6, { generator }),
      normal_: empty([3]).normal_({ mean: 1, std: 2, generator }),
      unseeded: rand([2], { generator: new Generator() }),
    };
    for (const [name, values] of Object.entries(drawn)) assertClose(values, golden.generators[name]!, name);
    assert.deepEqual([drawn.randint!.dtype, drawn.randperm!.dtype], ['int64', 'int64']);
  });
});

test('generators are independent of each other and of the default one', () => {
  scope(() => {
    const draw = (generator: Generator): unknown => [
      bernoulli(full([8], 0.4), undefined, { generator }).toArray(),
      multinomial(ones([9]), 4, { generator }).toArray(),
      ones([4]).uniform_({ generator }).toArray(),
    ];
    const expected = draw(new Generator().manualSeed(2));
    manualSeed(1);
    const plain = rand([4]).toArray();
    manualSeed(1);
    const a = new Generator().manualSeed(2);
    const b = new Generator().manualSeed(3);
    draw(b);
    assert.deepEqual(draw(a), expected);
    assert.deepEqual(rand([4]).toArray(), plain);
  });
});

test('a state can be saved, and put back into another generator', () => {
  scope(() => {
    const generator = new Generator().manualSeed(5);
    randn([7], { generator });
    const state = generator.getState();
    assert.equal(state.dtype, 'uint8');
    const expected = randn([9], { generator }).toArray();
    assert.deepEqual(randn([9], { generator: new Generator().setState(state) }).toArray(), expected);
    assert.deepEqual(randn([9], { generator: generator.setState(state) }).toArray(), expected);
  });
});

test('what is no generator, seed, state or device is refused', () => {
  scope(() => {
    const refused = (body: () => unknown): void => assert.throws(body, (error) => error instanceof TorchError);
    refused(() => rand([1], { generator: 5 as unknown as Generator }));
    refused(() => rand([1], { generator: {} as unknown as Generator }));
    refused(() => new Generator().manualSeed(0.5));
    refused(() => new Generator().setState(ones([3])));
    refused(() => new Generator({ device: 'toaster' }));
  });
});
