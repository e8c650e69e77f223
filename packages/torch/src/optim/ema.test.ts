import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory, nn, noGrad, optim, rand, scope, tensor, zeros } from '../index.js';

function network(): nn.Sequential {
  return new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2));
}

function setWeights(module: nn.Module, value: number): void {
  for (const parameter of module.parameters()) {
    nn.init.constant_(parameter, value);
  }
}

test('the average after n steps is the geometric sum of the values', () => {
  scope(() => {
    const module = network();
    setWeights(module, 0);
    const ema = new optim.EMA(module, { decay: 0.75 });
    const values = [1, 5, -2];
    for (const value of values) {
      setWeights(module, value);
      ema.update();
    }
    const expected = values.reduce((average, value) => 0.75 * average + 0.25 * value, 0);
    assert.deepEqual(ema.stateDict().get('0.bias')!.toArray(), [expected, expected]);
    setWeights(module, 8);
    ema.update({ decay: 0 });
    assert.deepEqual(ema.stateDict().get('0.bias')!.toArray(), [8, 8]);
    ema.dispose();
    module.dispose();
  });
});

test('buffers are copied, or averaged too; counters are copied either way', () => {
  scope(() => {
    const module = network();
    const [copying, averaging] = [
      new optim.EMA(module, { decay: 0.5 }),
      new optim.EMA(module, { decay: 0.5, buffers: 'average' }),
    ];
    const { runningMean, numBatchesTracked } = module.at(1) as nn.BatchNorm1d;
    runningMean.fill_(4);
    numBatchesTracked.fill_(3);
    copying.update();
    averaging.update();
    const mean = (ema: optim.EMA) => ema.stateDict().get('1.running_mean')!.toArray();
    assert.deepEqual(
      [mean(copying), mean(averaging)],
      [
        [4, 4],
        [2, 2],
      ],
    );
    assert.equal(averaging.stateDict().get('1.num_batches_tracked')!.item(), 3);
    copying.dispose();
    averaging.dispose();
    module.dispose();
  });
});

test('a teacher module holds the averages: it starts as a copy, is frozen and follows', () => {
  scope(() => {
    const [student, teacher] = [network(), network()];
    const ema = new optim.EMA(student, { decay: 0.5, into: teacher });
    const x = rand([3, 2]);
    assert.ok(noGrad(() => student.call(x)).equal(noGrad(() => teacher.call(x))));
    assert.ok(teacher.parameters().every(({ requiresGrad }) => !requiresGrad));
    setWeights(teacher, 0);
    setWeights(student, 3);
    ema.update();
    assert.deepEqual((teacher.at(0) as nn.Linear).bias!.toArray(), [1.5, 1.5]);
    assert.ok((student.at(0) as nn.Linear).weight.requiresGrad);
    ema.dispose();
    assert.deepEqual((teacher.at(0) as nn.Linear).bias!.toArray(), [1.5, 1.5]);
    assert.throws(() => new optim.EMA(student, { into: new nn.Linear(2, 2) }), { code: 'argument' });
    student.dispose();
    teacher.dispose();
  });
});

test('using() lends the averages to the module and gives its own values back, also after an error', () => {
  scope(() => {
    const module = new nn.Linear(1, 1, { bias: false });
    setWeights(module, 1);
    const ema = new optim.EMA(module, { decay: 0.5 });
    setWeights(module, 3);
    ema.update();
    assert.equal(
      ema.using(() => module.weight.item()),
      2,
    );
    assert.equal(module.weight.item(), 3);
    assert.throws(() =>
      ema.using(() => {
        throw new Error('stop');
      }),
    );
    assert.equal(module.weight.item(), 3);
    assert.equal(ema.stateDict().get('weight')!.item(), 2);
    ema.dispose();
    module.dispose();
  });
});

test('a restored average continues bit for bit; one that does not fit is refused with the key', () => {
  scope(() => {
    const module = network();
    const first = new optim.EMA(module, { decay: 0.9 });
    noGrad(() => (module.at(0) as nn.Linear).weight.add_(0.1));
    first.update();
    const second = new optim.EMA(module, { decay: 0.9 });
    second.loadStateDict(first.stateDict());
    noGrad(() => (module.at(0) as nn.Linear).weight.mul_(1.7));
    first.update();
    second.update();
    for (const [key, average] of first.stateDict()) {
      assert.deepEqual(second.stateDict().get(key)!.data(), average.data(), key);
    }
    const refused = (state: nn.StateDict, message: RegExp) =>
      assert.throws(() => second.loadStateDict(state), { name: 'TorchError', code: 'argument', message });
    const changed = (key: string, value: ReturnType<typeof zeros>) => new Map(first.stateDict()).set(key, value);
    refused(new Map(), /'0.weight' has nothing in the state, shape \[2,2\] here/);
    refused(changed('0.weight', zeros([2])), /'0.weight' has shape \[2\] in the state, shape \[2,2\] here/);
    refused(changed('extra', tensor(1)), /'extra' has shape \[\] in the state, nothing here/);
    first.dispose();
    second.dispose();
    module.dispose();
  });
});

test('updates leave no tensor behind, and dispose frees the averages', () => {
  const module = network();
  const before = memory().liveTensors;
  const ema = new optim.EMA(module);
  const live = memory().liveTensors;
  assert.equal(live, before + 7);
  for (let repeat = 0; repeat < 5; repeat++) {
    ema.update();
    ema.using(() => {});
  }
  assert.equal(memory().liveTensors, live);
  ema.dispose();
  assert.equal(memory().liveTensors, before);
  module.dispose();
});
