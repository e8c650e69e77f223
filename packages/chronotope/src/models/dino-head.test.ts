import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randn, scope } from '@chronotope/torch';
import { assertClose, readGolden } from '../testing/golden.js';
import { type GoldenTensor, goldenState, goldenTensor } from '../testing/golden-tensors.js';
import { DinoHead } from './dino-head.js';

interface HeadCase {
  name: string;
  args: {
    in_dim: number;
    out_dim: number;
    nlayers: number;
    hidden_dim: number;
    bottleneck_dim: number;
    norm_last_layer: boolean;
  };
  state_dict: Record<string, GoldenTensor>;
  requires_grad: Record<string, boolean>;
  input: GoldenTensor;
  output: GoldenTensor;
  cotangent: GoldenTensor;
  grad_input: GoldenTensor;
  grad_params: Record<string, GoldenTensor>;
}

describe("DINO's head", () => {
  for (const c of readGolden<{ cases: HeadCase[] }>('lss/dino_head.json').cases) {
    test(`keys, output and gradients are those of the official code, ${c.name}`, () =>
      scope(() => {
        const head = new DinoHead(c.args.in_dim, {
          outputs: c.args.out_dim,
          layers: c.args.nlayers,
          hidden: c.args.hidden_dim,
          bottleneck: c.args.bottleneck_dim,
          fixedGains: c.args.norm_last_layer,
        });
        head.loadStateDict(goldenState(c.state_dict));
        const parameters = head.namedParameters();
        const trained = Object.fromEntries([...parameters].map(([key, { requiresGrad }]) => [key, requiresGrad]));
        assert.deepEqual(trained, c.requires_grad);

        const input = goldenTensor(c.input, { requiresGrad: true });
        const output = head.call(input);
        assertClose(output, c.output.data);
        output.mul(goldenTensor(c.cotangent)).sum().backward();
        const close = { relative: 1e-4, absolute: 1e-5 };
        assertClose(input.grad!, c.grad_input.data, close);
        for (const [key, gradient] of Object.entries(c.grad_params)) {
          assertClose(parameters.get(key)!.grad!, gradient.data, { ...close, what: key });
        }
        head.dispose();
      }));
  }

  test('the outputs of a new head are cosines', () =>
    scope(() => {
      const head = new DinoHead(6, { outputs: 50, hidden: 8, bottleneck: 4 });
      assert.ok(
        head
          .call(randn([3, 6]))
          .abs()
          .max()
          .item() <=
          1 + 1e-6,
      );
      head.dispose();
    }));
});
