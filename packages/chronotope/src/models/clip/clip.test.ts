import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory, ones, randn, scope, Tensor, tensor, zeros } from '@chronotope/torch';
import { assertClose, readGolden } from '../../testing/golden.js';
import { type GoldenTensor, goldenState, goldenTensor } from '../../testing/golden-tensors.js';
import { type TinyClip, tinyShape } from '../../testing/tiny-clip.js';
import { Clip } from './clip.js';
import { ClipImageTower } from './image-tower.js';
import { resizePositions } from './positions.js';
import { CLIP_SHAPES, clipShapeOf } from './shape.js';
import { ClipTextTower } from './text-tower.js';

const GOLDEN = readGolden<TinyClip>('clip/clip_tiny.json');

function tinyClip(): Clip {
  const model = new Clip(tinyShape(GOLDEN));
  model.loadStateDict(goldenState(GOLDEN.state_dict));
  return model;
}

const close = (actual: Tensor, expected: GoldenTensor, what: string, absolute = 2e-5) => {
  assert.deepEqual([...actual.shape], expected.shape, what);
  assertClose(actual, expected.data, { absolute, relative: 1e-4, what });
};

test("both towers, their stages and the logits are those of OpenAI's code", () => {
  scope(() => {
    const model = tinyClip();
    const [images, ids] = [goldenTensor(GOLDEN.image), goldenTensor(GOLDEN.text)];
    const tokens = model.visual.embed(images);
    close(tokens, GOLDEN.stages['visual.ln_pre']!, 'ln_pre');
    let x = tokens;
    for (const [index, block] of [...model.visual.transformer.resblocks].entries()) {
      x = block.call(x);
      close(x.transpose(0, 1).contiguous(), GOLDEN.stages[`visual.resblocks.${index} (L,N,D)`]!, `block ${index}`);
    }
    close(model.visual.features(images), GOLDEN.stages['visual.ln_post']!, 'ln_post');
    close(model.visual.call(images), GOLDEN.image_features, 'image features');
    close(model.text.call(ids), GOLDEN.text_features, 'text features');
    const logits = model.call(images, ids);
    close(logits, GOLDEN.logits_per_image, 'logits', 1e-4);
    close(logits.transpose(0, 1).contiguous(), GOLDEN.logits_per_text, 'logits of texts', 1e-4);
    model.dispose();
  });
});

test("gradients of a sum of logits are those of OpenAI's code", () => {
  scope(() => {
    const model = tinyClip();
    const images = goldenTensor(GOLDEN.image).requiresGrad_(true);
    const logits = model.call(images, goldenTensor(GOLDEN.text));
    logits.mul(goldenTensor(GOLDEN.cotangent_on_logits_per_image)).sum().backward();
    close(images.grad!, GOLDEN.grad_image, 'images', 1e-4);
    const parameters = model.namedParameters();
    for (const [key, gradient] of Object.entries(GOLDEN.grad_params)) {
      close(parameters.get(key)!.grad!, gradient, key, 1e-4);
    }
    model.dispose();
  });
});

interface Keys {
  parameters: Record<'ViT-B/16' | 'ViT-B/32', number>;
  openai: [string, number[]][];
  otherShapes: { openai: Record<string, number[]> };
}

test('full-size state dicts have the keys, shapes and order of the official ones', () => {
  const keys = readGolden<Keys>('clip/keys.json');
  for (const name of ['ViT-B/16', 'ViT-B/32'] as const) {
    const expected = keys.openai.map(([key, shape]) => [
      key,
      name === 'ViT-B/32' ? (keys.otherShapes.openai[key] ?? shape) : shape,
    ]);
    const state = withoutWeights(() => new Clip(CLIP_SHAPES[name]).stateDict());
    assert.deepEqual(
      [...state].map(([key, { shape }]) => [key, [...shape]]),
      expected,
    );
    const numbers = [...state.values()].reduce((sum, { numel }) => sum + numel, 0);
    assert.equal(numbers, keys.parameters[name]);
  }
});

test('the architecture is read from the shapes of weights', () => {
  for (const shape of Object.values(CLIP_SHAPES)) {
    const state = withoutWeights(() => new Clip(shape).stateDict());
    assert.deepEqual(clipShapeOf(state), shape);
  }
  scope(() => {
    const shape = tinyShape(GOLDEN);
    const state = goldenState(GOLDEN.state_dict);
    assert.deepEqual(clipShapeOf(state, { imageHeads: 2, textHeads: 2 }), shape);
    assert.throws(() => clipShapeOf(state), { code: 'not-clip', message: /image tower is 16 wide/ });
    state.delete('visual.conv1.weight');
    assert.throws(() => clipShapeOf(state), { code: 'not-clip', message: /lack 'visual.conv1.weight'/ });
    const resnet = new Map([['visual.layer1.0.conv1.weight', zeros([1])]]);
    assert.throws(() => clipShapeOf(resnet), { code: 'not-clip', message: /is a ResNet/ });
  });
});

test('what stands behind the end token, and how many columns a row has, changes nothing', () => {
  scope(() => {
    const text = tinyClip().text;
    const rows = [
      [98, 5, 7, 99, 0, 0, 0, 0],
      [98, 5, 99, 0, 0, 0, 0, 0],
    ];
    const whole = text.call(tensor(rows, { dtype: 'int64' }));
    const other = [
      [98, 5, 7, 99, 1],
      [98, 5, 99, 3, 4],
    ];
    assertClose(text.call(tensor(other, { dtype: 'int64' })), whole.toArray() as number[][], { absolute: 1e-6 });
  });
});

test('tokens and rows that the text tower has no place for are named', () => {
  scope(() => {
    const text = tinyClip().text;
    assert.throws(() => text.call(tensor([[98, 100]], { dtype: 'int64' })), {
      code: 'vocabulary-mismatch',
      message: /token 100 is not among the 100/,
    });
    assert.throws(() => text.call(zeros([1, 9], { dtype: 'int64' })), {
      code: 'vocabulary-mismatch',
      message: /rows of 9 tokens are longer than the 8/,
    });
  });
});

test('images of another size get positions of their own grid; those that patches do not tile are refused', () => {
  scope(() => {
    const tower = tinyClip().visual;
    assert.deepEqual([...tower.call(randn([2, 3, 24, 40])).shape], [2, 12]);
    assert.throws(() => tower.call(randn([1, 3, 16, 20])), { code: 'patch-size', message: /8 pixels .* 16 x 20/ });
    const positions = randn([1 + 9, 5]);
    assert.equal(resizePositions(positions, [3, 3]), positions);
    const flat = ones([1 + 9, 5]);
    flat.select(0, 0).fill_(7);
    const resized = resizePositions(flat, [2, 5]);
    assert.deepEqual(resized.select(0, 0).toArray(), [7, 7, 7, 7, 7]);
    assertClose(resized.narrow(0, 1, 10), Array(50).fill(1), { absolute: 1e-6 });
  });
});

test('positions are resized as torch.nn.functional.interpolate does it, rows before columns', () => {
  scope(() => {
    // A plane that rises by 1 a column and by 10 a row; from 4 x 4 to 4 x 2 the middle lies between two columns.
    const plane = Array.from({ length: 16 }, (_, k) => [10 * Math.floor(k / 4) + (k % 4)]);
    const resized = resizePositions(tensor([[0], ...plane]), [4, 2]).toArray() as number[][];
    assert.equal(resized.length, 9);
    for (const row of [0, 1, 2, 3]) {
      const [left, right] = [resized[1 + 2 * row]![0]!, resized[2 + 2 * row]![0]!];
      assert.ok(Math.abs((left + right) / 2 - (10 * row + 1.5)) < 1e-5);
      assert.ok(right > left);
    }
  });
});

test('new towers start with outputs of moderate size; a forward pass leaves no tensors behind', () => {
  scope(() => {
    const shape = { width: 128, layers: 6, heads: 4 };
    const image = new ClipImageTower({ ...shape, resolution: 32, patch: 8 }, { embedding: 64 });
    const text = new ClipTextTower({ ...shape, context: 16, vocabulary: 300 }, { embedding: 64, activation: 'gelu' });
    const before = memory().liveTensors;
    const rms = (x: Tensor) => x.square().mean().sqrt().item();
    scope(() => {
      for (const value of [
        rms(image.call(randn([4, 3, 32, 32]))),
        rms(text.call(tensor([[1, 5, 299]], { dtype: 'int64' }))),
      ]) {
        assert.ok(value > 0.2 && value < 5, `${value}`);
      }
    });
    assert.equal(memory().liveTensors, before);
    image.dispose();
    text.dispose();
  });
});

/** Runs `make` without drawing weights, so that the memory of full-size networks is never touched. */
function withoutWeights<T>(make: () => T): T {
  const { normal_, uniform_ } = Tensor.prototype;
  const leave = function (this: Tensor): Tensor {
    return this;
  };
  Object.assign(Tensor.prototype, { normal_: leave, uniform_: leave });
  try {
    return scope(make);
  } finally {
    Object.assign(Tensor.prototype, { normal_, uniform_ });
  }
}
