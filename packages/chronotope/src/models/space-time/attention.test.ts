import { test } from 'node:test';
import { gradcheck, manualSeed, nn, randn, scope } from '@chronotope/torch';
import { assertClose, type Nested } from '../../testing/golden.js';
import { mixFew, SelfAttention, selfAttention } from './attention.js';

test('attention over few tokens, key by key, is attention: values, and gradients by finite differences', () => {
  scope(() => {
    manualSeed(1);
    for (const tokens of [1, 2, 5]) {
      const [query, key, value] = [0, 1, 2].map(() =>
        randn([2, 3, tokens, 4], { dtype: 'float64' }).requiresGrad_(true),
      );
      const expected = nn.functional.scaledDotProductAttention(query!, key!, value!);
      assertClose(mixFew(query!, key!, value!), expected.toArray() as Nested, { relative: 1e-12 });
      if (tokens === 2) gradcheck((q, k, v) => mixFew(q!, k!, v!), [query!, key!, value!]);
    }
  });
});

test("timm's and PyTorch's weights give the same attention, for few tokens and for many", () => {
  scope(() => {
    const torch = new nn.MultiheadAttention(12, 3, { batchFirst: true });
    const own = new SelfAttention(12, 3);
    const state = torch.stateDict();
    own.loadStateDict(
      new Map([
        ['qkv.weight', state.get('in_proj_weight')!],
        ['qkv.bias', state.get('in_proj_bias')!],
        ['proj.weight', state.get('out_proj.weight')!],
        ['proj.bias', state.get('out_proj.bias')!],
      ]),
    );
    for (const tokens of [3, 20]) {
      const x = randn([4, tokens, 12]);
      const expected = torch.call(x, x, x)[0].toArray() as Nested;
      assertClose(own.call(x), expected, { absolute: 1e-6 });
      assertClose(selfAttention(torch, x), expected, { absolute: 1e-6 });
    }
  });
});
