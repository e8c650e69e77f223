import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  autocast,
  conv2d,
  type DType,
  GradScaler,
  linear,
  matmul,
  mseLoss,
  nn,
  ones,
  optim,
  scope,
  type Tensor,
  TorchError,
  tensor,
  version,
  zeros,
} from '../index.js';
import { assertClose, type StoredTensor, toTensor } from '../testing/golden.js';

type Golden = { dtypes: DType[] } & Record<string, StoredTensor>;
const { mixedPrecision: golden } = JSON.parse(
  readFileSync(new URL('../../golden/binding/values.json', import.meta.url), 'utf8'),
) as { mixedPrecision: Golden };
const stored = (name: string): StoredTensor => golden[name] as StoredTensor;

const isArgument =
  (message: RegExp) =>
  (error: unknown): boolean =>
    error instanceof TorchError && error.code === 'argument' && message.test(error.message);

test('autocast gives the dtypes and values of PyTorch, forward and backward', () => {
  scope(() => {
    const [x, w, k, image] = ['x', 'w', 'k', 'image'].map((name) => toTensor(stored(name))) as Tensor[];
    w!.requiresGrad_();
    const { y, convolved, loss, full } = autocast({ dtype: 'bfloat16' }, () => {
      const product = linear(x!, w!);
      return {
        y: product,
        convolved: conv2d(image!, k!),
        loss: mseLoss(product, zeros([4, 3])),
        full: autocast({ enabled: false }, () => linear(x!, w!)),
      };
    });
    loss.backward();
    const results: Record<string, Tensor> = { y, convolved, loss, full, grad: w!.grad! };
    assert.deepEqual(
      Object.values(results).map((result) => result.dtype),
      golden.dtypes,
    );
    // Half of bfloat16's last place is 2^-9.
    for (const [name, result] of Object.entries(results)) {
      assertClose(result.to({ dtype: 'float32' }), stored(name), name, name === 'full' ? 1e-6 : 2 ** -8);
    }
  });
});

test('autocast ends with its body, throwing or not, and sees changed weights the next time', () => {
  scope(() => {
    const weight = ones([2, 2], { requiresGrad: true });
    const product = (): Tensor => matmul(ones([2, 2]), weight);
    assert.equal(autocast({}, () => product()).dtype, 'bfloat16');
    assert.throws(() =>
      autocast({}, () => {
        throw new Error('no');
      }),
    );
    assert.equal(product().dtype, 'float32');
    weight.detach().fill_(3);
    assert.equal(
      autocast({}, () => product().at(0, 0).item()),
      6,
    );
    assert.throws(() => autocast({}, async () => 1), isArgument(/promise/));
  });
});

test('autocast refuses devices and dtypes that are not there', () => {
  const { cuda, torch } = version();
  if (!cuda) assert.throws(() => autocast({ device: 'cuda' }, () => 1), isArgument(/no CUDA device/));
  if (torch.startsWith('1.')) assert.throws(() => autocast({ dtype: 'float16' }, () => 1), isArgument(/float16/));
});

/** One parameter of two elements, trained by SGD with rate 1, so that a step subtracts the gradient. */
function setUp(): { parameter: nn.Parameter; optimizer: optim.SGD } {
  const parameter = new nn.Parameter(tensor([10, 20]));
  return { parameter, optimizer: new optim.SGD([parameter], { lr: 1 }) };
}

test('a scaled step equals one without scaling', () => {
  scope(() => {
    const { parameter, optimizer } = setUp();
    const scaler = new GradScaler();
    scaler.scale(parameter.mul(3).sum()).backward();
    assert.deepEqual(parameter.grad?.toArray(), [3 * 65536, 3 * 65536]);
    assert.equal(scaler.step(optimizer), true);
    scaler.update();
    assert.deepEqual(parameter.toArray(), [7, 17]);
    assert.equal(scaler.getScale(), 65536);
    parameter.dispose();
  });
});

test('an overflow skips the step and halves the scale; a growth interval without one doubles it', () => {
  scope(() => {
    const { parameter, optimizer } = setUp();
    const scaler = new GradScaler({ initScale: 8, growthInterval: 2 });
    const round = (gradient: number[]): [boolean, number] => {
      optimizer.zeroGrad();
      scaler.scale(parameter.mul(tensor(gradient)).sum()).backward();
      const stepped = scaler.step(optimizer);
      scaler.update();
      return [stepped, scaler.getScale()];
    };
    const small = [1, 1];
    assert.deepEqual(
      [
        round(small),
        round([1, Number.POSITIVE_INFINITY]),
        round(small),
        round([Number.NaN, 1]),
        round(small),
        round(small),
        round([Number.NEGATIVE_INFINITY, 1]),
      ],
      [
        [true, 8],
        [false, 4],
        [true, 4],
        [false, 2],
        [true, 2],
        [true, 4],
        [false, 2],
      ],
    );
    assert.deepEqual(parameter.toArray(), [6, 16]);
    parameter.dispose();
  });
});

test('unscale_ lets gradients be clipped before the step, and a state can be restored', () => {
  scope(() => {
    const { parameter, optimizer } = setUp();
    const scaler = new GradScaler({ initScale: 1024, growthInterval: 3 });
    scaler.scale(parameter.mul(4).sum()).backward();
    scaler.unscale_(optimizer);
    assert.deepEqual(parameter.grad?.toArray(), [4, 4]);
    assert.throws(() => scaler.unscale_(optimizer), isArgument(/have been unscaled/));
    parameter.grad?.mul_(0.25);
    assert.equal(scaler.step(optimizer), true);
    assert.deepEqual(parameter.toArray(), [9, 19]);
    assert.throws(() => scaler.step(optimizer), isArgument(/stepped since/));
    scaler.update();
    const restored = new GradScaler();
    restored.loadStateDict(JSON.parse(JSON.stringify(scaler.stateDict())));
    assert.deepEqual(restored.stateDict(), {
      scale: 1024,
      growthFactor: 2,
      backoffFactor: 0.5,
      growthInterval: 3,
      growthTracker: 1,
    });
    scaler.update(5);
    assert.equal(scaler.getScale(), 5);
    parameter.dispose();
  });
});

test('a scaler that is not enabled changes nothing', () => {
  scope(() => {
    const { parameter, optimizer } = setUp();
    const scaler = new GradScaler({ enabled: false });
    const loss = parameter.sum();
    assert.equal(scaler.scale(loss), loss);
    loss.backward();
    scaler.unscale_(optimizer);
    assert.equal(scaler.step(optimizer), true);
    scaler.update();
    assert.deepEqual([parameter.toArray(), scaler.getScale()], [[9, 19], 1]);
    parameter.dispose();
  });
});

test('misuse of a scaler is refused', () => {
  scope(() => {
    const { parameter, optimizer } = setUp();
    const scaler = new GradScaler();
    assert.throws(() => scaler.step(optimizer), isArgument(/has a gradient/));
    assert.throws(() => scaler.update(), isArgument(/without a step/));
    assert.throws(() => new GradScaler({ backoffFactor: 2 }), isArgument(/backoffFactor/));
    const half = new nn.Parameter(zeros([2], { dtype: 'float16' }));
    half.grad = zeros([2], { dtype: 'float16' });
    assert.throws(
      () => scaler.unscale_({ paramGroups: [{ params: [half] }], step: () => undefined }),
      isArgument(/float16 gradients/),
    );
    parameter.dispose();
    half.dispose();
  });
});

test('mixed precision trains a small network', () => {
  scope(() => {
    const net = new nn.Sequential(new nn.Linear(2, 16), new nn.ReLU(), new nn.Linear(16, 1));
    const optimizer = new optim.Adam(net.parameters(), { lr: 0.05 });
    const scaler = new GradScaler();
    const x = tensor([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    const target = tensor([[0], [1], [1], [0]]);
    let last = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 150; i++) {
      scope(() => {
        const loss = autocast({ dtype: 'bfloat16' }, () => mseLoss(net.call(x), target));
        optimizer.zeroGrad();
        scaler.scale(loss).backward();
        scaler.step(optimizer);
        scaler.update();
        last = loss.item();
      });
    }
    assert.ok(last < 0.05, `the loss is ${last}`);
    net.dispose();
    optimizer.dispose();
  });
});
