import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cat, memory, noGrad, randn, scope, type Tensor } from '@chronotope/torch';
import { assertClose, readGolden } from '../../testing/golden.js';
import { type GoldenTensor, goldenState, goldenTensor } from '../../testing/golden-tensors.js';
import { SpaceTimeViT, type SpaceTimeViTOptions } from './space-time-vit.js';

type State = Record<string, GoldenTensor>;

interface Case {
  name: string;
  input: GoldenTensor;
  cls_feature: GoldenTensor;
  all_tokens_after_norm?: GoldenTensor;
  cotangent_on_cls_feature: GoldenTensor;
  grad_input: GoldenTensor;
}

interface Divided {
  state_dict: State;
  block: Record<'tokens_in' | 'tokens_out' | 'cotangent' | 'grad_tokens_in', GoldenTensor>;
  cases: Case[];
}

const DIVIDED = readGolden<Divided>('lss/divided_st_vit.json');
const TINY: SpaceTimeViTOptions = { size: 8, patch: 4, width: 16, depth: 2, heads: 2, mlpRatio: 2, frames: 3 };
const close = { absolute: 2e-5, relative: 1e-4 };

function tinyViT(state: State, options: SpaceTimeViTOptions = {}): SpaceTimeViT {
  const network = new SpaceTimeViT({ ...TINY, ...options }).eval();
  const { unexpected, missing } = network.loadStateDict(goldenState(state), { strict: false });
  assert.deepEqual(missing, []);
  assert.deepEqual(
    unexpected.filter((key) => !key.startsWith('head.') && !key.includes('tempor') && key !== 'time_embed'),
    [],
  );
  return network;
}

/** Our order of the patches, frame after frame, from SVT's, place after place. */
function frameMajor(tokens: Tensor, frames: number): Tensor {
  const [n, length, width] = tokens.shape as [number, number, number];
  const patches = tokens.narrow(1, 1, length - 1).reshape([n, -1, frames, width]);
  return cat([tokens.narrow(1, 0, 1), patches.transpose(1, 2).reshape([n, length - 1, width])], { dim: 1 });
}

function assertCase(network: SpaceTimeViT, input: Tensor, c: Omit<Case, 'name' | 'input'>): void {
  input.requiresGrad_(true);
  const { class: feature, patches } = network.tokens(input);
  assertClose(feature, c.cls_feature.data, close);
  if (c.all_tokens_after_norm) {
    const expected = frameMajor(goldenTensor(c.all_tokens_after_norm), input.shape[2]!);
    assertClose(
      patches.flatten({ startDim: 1, endDim: 3 }),
      expected.narrow(1, 1, expected.shape[1]! - 1).toArray() as number[][],
      close,
    );
  }
  feature.mul(goldenTensor(c.cotangent_on_cls_feature)).sum().backward();
  assertClose(input.grad!, c.grad_input.data, { ...close, absolute: 1e-4 });
}

describe("divided attention is that of SVT's code", () => {
  for (const c of DIVIDED.cases) {
    test(c.name, () =>
      scope(() => {
        const network = tinyViT(DIVIDED.state_dict);
        assertCase(network, goldenTensor(c.input), c);
        network.dispose();
      }),
    );
  }

  test('a block by itself', () =>
    scope(() => {
      const network = tinyViT(DIVIDED.state_dict);
      const { tokens_in, tokens_out, cotangent, grad_tokens_in } = DIVIDED.block;
      const input = frameMajor(goldenTensor(tokens_in), 3).detach().requiresGrad_(true);
      const output = [...network.blocks][0]!.call(input, { frames: 3, patches: 4 });
      const values = (tensor: GoldenTensor) => frameMajor(goldenTensor(tensor), 3).toArray() as number[][];
      assertClose(output, values(tokens_out), close);
      output
        .mul(frameMajor(goldenTensor(cotangent), 3))
        .sum()
        .backward();
      assertClose(input.grad!, values(grad_tokens_in), { ...close, absolute: 1e-4 });
      network.dispose();
    }));
});

describe('the other arrangements are those of their code', () => {
  const { variants } = readGolden<{ variants: (Case & { attention_type: string })[] }>(
    'lss/st_vit_attention_variants.json',
  );
  for (const { attention_type: type, ...c } of variants) {
    test(type, () =>
      scope(() => {
        const attention = type === 'space_only' ? 'space-only' : 'joint';
        const network = tinyViT(DIVIDED.state_dict, { attention });
        assertCase(network, goldenTensor(c.input), c);
        network.dispose();
      }),
    );
  }

  interface FrozenCase extends Omit<Case, 'input' | 'cotangent_on_cls_feature'> {
    input_BTCHW: GoldenTensor;
    cotangent: GoldenTensor;
  }
  const frozen = readGolden<{ state_dict: State; cases: FrozenCase[] }>('lss/frozen_in_time_vit.json');
  for (const { name, input_BTCHW: input, cotangent, ...c } of frozen.cases) {
    test(`Frozen in Time, ${name}`, () =>
      scope(() => {
        const network = new SpaceTimeViT({ ...TINY, attention: 'frozen' }).eval();
        network.loadStateDict(goldenState(frozen.state_dict));
        const clips = goldenTensor(input).transpose(1, 2).contiguous();
        const gradient = goldenTensor(c.grad_input).transpose(1, 2).contiguous();
        const grad_input = { ...c.grad_input, data: [...(gradient.data() as Float32Array)] };
        assertCase(network, clips, { ...c, grad_input, cotangent_on_cls_feature: cotangent });
        network.dispose();
      }));
  }
});

interface Initial {
  shape: number[];
  all_zero: boolean;
  all_one: boolean;
}

describe('a new network', () => {
  const golden = readGolden<{
    constructor_parameters: Record<string, Initial>;
    load_pretrained_origin: Record<string, string>;
  }>('lss/st_vit_init.json');

  test("starts as SVT's constructor leaves it, with its keys", () =>
    scope(() => {
      const network = new SpaceTimeViT(TINY);
      const state = network.stateDict();
      const expected = Object.entries(golden.constructor_parameters).filter(([key]) => !key.startsWith('head.'));
      assert.deepEqual([...state.keys()].sort(), expected.map(([key]) => key).sort());
      for (const [key, { shape, all_zero, all_one }] of expected) {
        const value = state.get(key)!;
        assert.deepEqual([...value.shape], shape, key);
        const isAll = (constant: number) => value.eq(constant).all().item() === 1;
        assert.deepEqual([isAll(0), isAll(1)], [all_zero, all_one], key);
      }
      network.dispose();
    }));

  test('with the weights of an image model, attention over time starts from that over space', () =>
    scope(() => {
      const network = tinyViT(DIVIDED.state_dict);
      const before = new Map([...network.stateDict()].map(([key, value]) => [key, value.clone()]));
      network.copySpaceToTime();
      for (const [key, value] of network.stateDict()) {
        const origin = golden.load_pretrained_origin[key]!;
        const source = before.get(origin === 'unchanged' ? key : origin)!;
        assert.ok(value.equal(source), key);
      }
      network.dispose();
    }));

  for (const attention of ['divided', 'space-only'] as const) {
    test(`sees a video of equal frames as it sees one frame, ${attention}`, () =>
      scope(() => {
        const network = new SpaceTimeViT({ ...TINY, attention }).eval();
        const image = randn([2, 3, 1, 8, 8]);
        const video = image.expand([2, 3, 5, 8, 8]);
        assertClose(network.pooled(video), network.pooled(image).toArray() as number[][], { absolute: 1e-5 });
        network.dispose();
      }));
  }

  test('with frozen attention sees a single frame as an image model does', () =>
    scope(() => {
      const plain = new SpaceTimeViT({ ...TINY, attention: 'space-only' }).eval();
      const frozen = new SpaceTimeViT({ ...TINY, attention: 'frozen' }).eval();
      frozen.loadStateDict(plain.stateDict(), { strict: false });
      const image = randn([2, 3, 1, 8, 8]);
      assertClose(frozen.pooled(image), plain.pooled(image).toArray() as number[][], { absolute: 1e-5 });
    }));

  test('that starts at random uses attention over time at once', () =>
    scope(() => {
      const network = new SpaceTimeViT({ ...TINY, temporalStart: 'random' }).eval();
      const without = new SpaceTimeViT(TINY).eval();
      without.loadStateDict(network.stateDict());
      for (const block of without.blocks) block.stateDict().get('temporal_fc.weight')!.zero_();
      const video = randn([1, 3, 4, 8, 8]);
      const difference = network.pooled(video).sub(without.pooled(video)).abs().max().item();
      assert.ok(difference > 1e-6, `${difference}`);
    }));
});

test('the class token is one feature a clip; patches give features of slices of time', () => {
  scope(() => {
    const clips = randn([2, 3, 4, 8, 8]);
    const whole = new SpaceTimeViT(TINY).eval();
    assert.deepEqual([...whole.call(clips).shape], [2, 16, 1, 1, 1]);
    const sliced = new SpaceTimeViT({ ...TINY, pooling: 'patches', slices: 2 }).eval();
    sliced.loadStateDict(whole.stateDict());
    assert.deepEqual([...sliced.call(clips).shape], [2, 16, 2, 1, 1]);
    const tokens = whole.tokens(clips).patches.mean([1, 2, 3]);
    assertClose(sliced.pooled(clips), tokens.toArray() as number[][], { absolute: 1e-5 });
    assert.throws(() => new SpaceTimeViT({ ...TINY, slices: 2 }), { code: 'class-token-slices' });
    assert.throws(() => sliced.checkClips({ frames: 1, size: 8 }), { code: 'clip-too-short' });
    assert.throws(() => whole.checkClips({ frames: 3, size: 10 }), { code: 'patch-size' });
  });
});

test('in training branches are left out at random; a forward pass without gradients leaves nothing behind', () => {
  scope(() => {
    const network = new SpaceTimeViT({ ...TINY, depth: 3, dropPath: 0.9, temporalStart: 'random' });
    const clips = randn([2, 3, 3, 8, 8]);
    const before = memory().liveTensors;
    const [first, second] = [0, 1].map(() => scope(() => noGrad(() => network.pooled(clips).toArray())));
    assert.notDeepEqual(first, second);
    assert.equal(memory().liveTensors, before);
  });
});
