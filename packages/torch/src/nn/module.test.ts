import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory, nn, noGrad, rand, scope, type Tensor, TorchError, tensor, zeros } from '../index.js';

class Block extends nn.Module {
  readonly conv1 = new nn.Sequential(
    new nn.Conv3d(1, 2, { kernelSize: 1, bias: false }),
    new nn.BatchNorm3d(2),
    new nn.ReLU(),
  );
  readonly relu = new nn.ReLU();
  readonly inputNorm = new nn.BatchNorm3d(1);
  readonly logitScale = new nn.Parameter(tensor([2]));
  readonly hidden: nn.Module | null = null;
  readonly width = 2;

  override forward(x: Tensor): Tensor {
    return this.conv1.call(this.inputNorm.call(x)).mul(this.logitScale);
  }
}

test('keys are the property names in snake case: own parameters, then buffers, then submodules in order', () => {
  scope(() => {
    const block = new Block();
    assert.deepEqual(
      [...block.stateDict().keys()],
      [
        'logit_scale',
        'conv1.0.weight',
        'conv1.1.weight',
        'conv1.1.bias',
        'conv1.1.running_mean',
        'conv1.1.running_var',
        'conv1.1.num_batches_tracked',
        'input_norm.weight',
        'input_norm.bias',
        'input_norm.running_mean',
        'input_norm.running_var',
        'input_norm.num_batches_tracked',
      ],
    );
    assert.deepEqual([...block.namedChildren().keys()], ['conv1', 'relu', 'input_norm']);
    block.dispose();
  });
});

test('a state dict shares memory with the module and loads into another one', () => {
  scope(() => {
    const source = new nn.Linear(2, 1);
    const target = new nn.Linear(2, 1);
    const state = source.stateDict();
    nn.init.constant_(source.weight, 4);
    assert.deepEqual(state.get('weight')!.toArray(), [[4, 4]]);
    assert.deepEqual(target.loadStateDict(state), { missing: [], unexpected: [] });
    assert.deepEqual(target.weight.toArray(), [[4, 4]]);
    source.dispose();
    target.dispose();
  });
});

test('loading a state dict with other keys throws and copies nothing; not strict, it reports them', () => {
  scope(() => {
    const layer = new nn.Linear(2, 1, { bias: false });
    nn.init.zeros_(layer.weight);
    const state = new Map([
      ['weight', tensor([[1, 2]])],
      ['extra', tensor([1])],
    ]);
    assert.throws(() => layer.loadStateDict(state), { code: 'argument', message: /1 keys unexpected \(extra\)/ });
    assert.deepEqual(layer.weight.toArray(), [[0, 0]]);
    assert.deepEqual(layer.loadStateDict(state, { strict: false }), { missing: [], unexpected: ['extra'] });
    assert.deepEqual(layer.weight.toArray(), [[1, 2]]);
    layer.dispose();
  });
});

test('loading a tensor of another shape throws and names the key', () => {
  scope(() => {
    const layer = new nn.Linear(2, 1, { bias: false });
    assert.throws(() => layer.loadStateDict(new Map([['weight', zeros([1, 3])]])), {
      code: 'argument',
      message: /'weight' has shape \[1,3\] in the state dict but \[1,2\] here/,
    });
    layer.dispose();
  });
});

test('a shared parameter is listed once among the parameters and under both keys in the state dict', () => {
  scope(() => {
    const shared = new nn.Linear(2, 2, { bias: false });
    const twice = new nn.Sequential(shared, shared);
    assert.equal(twice.parameters().length, 1);
    assert.deepEqual([...twice.stateDict().keys()], ['0.weight', '1.weight']);
    twice.dispose();
  });
});

test('train, eval and requiresGrad_ reach every module below', () => {
  scope(() => {
    const block = new Block().eval();
    assert.ok(block.modules().every((module) => !module.training));
    block.train();
    assert.ok(block.modules().every((module) => module.training));
    assert.ok(block.parameters().every((parameter) => parameter.requiresGrad));
    block.requiresGrad_(false);
    assert.ok(block.parameters().every((parameter) => !parameter.requiresGrad));
    block.dispose();
  });
});

test('apply visits children before their parent', () => {
  scope(() => {
    const visited: string[] = [];
    const network = new nn.Sequential(new nn.ReLU(), new nn.Sequential(new nn.Flatten()));
    network.apply((module) => visited.push(module.constructor.name));
    assert.deepEqual(visited, ['ReLU', 'Flatten', 'Sequential', 'Sequential']);
  });
});

test('to() converts floating-point tensors in place and leaves counters alone', () => {
  scope(() => {
    const norm = new nn.BatchNorm1d(2);
    const { weight } = norm;
    norm.to({ dtype: 'float64' });
    assert.equal(norm.weight, weight);
    assert.equal(weight!.dtype, 'float64');
    assert.equal(norm.runningVar.dtype, 'float64');
    assert.equal(norm.numBatchesTracked.dtype, 'int64');
    const y = norm.call(
      tensor(
        [
          [1, 2],
          [3, 5],
        ],
        { dtype: 'float64' },
      ),
    );
    y.sum().backward();
    assert.equal(weight!.grad!.dtype, 'float64');
    norm.dispose();
  });
});

test('parameters and buffers survive the scope they were made in; dispose frees them', () => {
  const before = memory().liveTensors;
  const layer = scope(() => new nn.BatchNorm1d(2));
  assert.deepEqual(layer.runningVar.toArray(), [1, 1]);
  assert.equal(memory().liveTensors, before + 5);
  layer.dispose();
  assert.equal(memory().liveTensors, before);
});

test('a no-grad forward of a deep Sequential holds the activations of one layer, not of the network', () => {
  const activationBytes = 1000 * 1000 * 4;
  let peak = 0;
  class Probe extends nn.Module {
    override forward(x: Tensor): Tensor {
      const y = x.add(1);
      peak = Math.max(peak, memory().liveBytes);
      return y;
    }
  }
  scope(() => {
    const network = new nn.Sequential(
      ...Array.from({ length: 30 }, () => new nn.Sequential(new Probe(), new nn.ReLU())),
    );
    const x = rand([1000, 1000]);
    const before = memory().liveBytes;
    const y = noGrad(() => network.call(x));
    assert.ok(peak - before >= activationBytes, 'the probe measures nothing');
    assert.ok(peak - before <= 2.1 * activationBytes, `${(peak - before) / activationBytes} activations alive at once`);
    const left = memory().liveBytes - before;
    assert.ok(left >= activationBytes && left <= 1.1 * activationBytes, `${left} bytes left`);
    assert.equal(y.disposed, false);
    assert.equal(x.disposed, false);
  });
});

test('making a module outside a scope leaves only its parameters and buffers', () => {
  const before = memory().liveTensors;
  const network = new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2));
  assert.equal(memory().liveTensors, before + 7);
  network.dispose();
});

test('an error in a forward pass names the layer, from the outermost module down', () => {
  scope(() => {
    const network = new nn.Sequential(new nn.Flatten(), new nn.Sequential(new nn.Linear(3, 4), new nn.Linear(5, 2)));
    const error = caught(() => network.call(zeros([1, 3])));
    assert.equal(error.code, 'operator');
    assert.match(error.message, /shapes cannot be multiplied/);
    const where = 'in 1.1 of Sequential: Linear(in_features=5, out_features=2, bias=True)';
    assert.equal(error.message.split('\n').at(-1)!.trim(), where);
    assert.equal(error.message.split('  in ').length, 2);
    assert.ok(error.stack!.includes(where));
    assert.match(caught(() => network.at(1)!.call(zeros([1, 2]))).message, /in 0 of Sequential: Linear/);
    network.dispose();
  });
});

function caught(body: () => unknown): TorchError {
  try {
    body();
  } catch (error) {
    assert.ok(error instanceof TorchError);
    return error;
  }
  assert.fail('nothing was thrown');
}

test('loading names every key that is missing, unexpected or of another shape, and copies nothing', () => {
  scope(() => {
    const network = new nn.Sequential(new nn.Linear(2, 1), new nn.Linear(1, 1, { bias: false }));
    const before = network.parameters().map((parameter) => parameter.toArray());
    const state = new Map([
      ['0.weight', zeros([1, 3])],
      ['0.bias', zeros([1])],
      ['1.weight', zeros([1])],
      ['2.weight', zeros([1])],
    ]);
    assert.throws(() => network.loadStateDict(state), {
      message:
        'the state dict does not fit Sequential: 1 keys unexpected (2.weight); ' +
        "'0.weight' has shape [1,3] in the state dict but [1,2] here; '1.weight' has shape [1] in the state dict but [1,1] here",
    });
    assert.throws(() => network.loadStateDict(new Map()), { message: /3 keys missing \(0.weight, 0.bias, 1.weight\)/ });
    assert.throws(() => network.loadStateDict(state, { strict: false }), { message: /'0.weight' has shape/ });
    assert.deepEqual(
      network.parameters().map((parameter) => parameter.toArray()),
      before,
    );
    network.dispose();
  });
});

test('a frozen module gets no gradients, until it is unfrozen', () => {
  scope(() => {
    const frozen = new nn.Linear(2, 2).freeze();
    const network = new nn.Sequential(frozen, new nn.Linear(2, 1));
    network
      .call(rand([1, 2]))
      .sum()
      .backward();
    assert.equal(frozen.weight.grad, null);
    frozen.unfreeze();
    network
      .call(rand([1, 2]))
      .sum()
      .backward();
    assert.notEqual(frozen.weight.grad, null);
    network.dispose();
  });
});

test('a buffer that is not persistent moves and is freed with the module, but is not saved', () => {
  class Masked extends nn.Module {
    readonly mask = this.registerBuffer('mask', zeros([2]), { persistent: false });

    override forward(x: Tensor): Tensor {
      return x.mul(this.mask);
    }
  }
  const before = memory().liveTensors;
  const module = scope(() => new Masked().to({ dtype: 'float64' }));
  assert.equal(module.mask.dtype, 'float64');
  assert.equal(module.stateDict().size, 0);
  assert.deepEqual([...module.namedBuffers().keys()], ['mask']);
  module.dispose();
  assert.equal(memory().liveTensors, before);
});

test('lists and dictionaries of modules and parameters are read like arrays and maps, and are no functions', () => {
  const dictionary = new nn.ModuleDict({ a: new nn.ReLU(), b: new nn.Tanh() });
  assert.deepEqual(dictionary.keys(), ['a', 'b']);
  assert.ok(dictionary.get('b') instanceof nn.Tanh);
  assert.equal(dictionary.get('c'), undefined);
  assert.deepEqual(
    [...dictionary].map(([key]) => key),
    ['a', 'b'],
  );
  const parameters = new nn.ParameterList([new nn.Parameter(zeros([1])), new nn.Parameter(zeros([2]))]);
  assert.deepEqual([...parameters.stateDict().keys()], ['0', '1']);
  assert.deepEqual(parameters.at(-1)!.shape, [2]);
  for (const container of [dictionary, parameters, new nn.ModuleList()]) {
    assert.throws(() => container.call(), TypeError);
  }
  parameters.dispose();
});
