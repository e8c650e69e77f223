import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scope, type Tensor } from '@chronotope/torch';
import { assertClose, type Nested, readGolden } from '../testing/golden.js';
import { hashFill, hashInput, hashTensor } from '../testing/hash-fill.js';
import { ProjectionHead } from './projection-head.js';

interface HeadResult {
  outputs: number[][][];
  output_full_first_row: number[][];
  probe_loss: number;
  grad_input_abs_sum: number;
  grad_input_first: number[][];
  grad_norms: Record<string, number>;
  bn_after_first6?: Record<string, number[]>;
}

interface HeadGolden {
  cases: {
    salt: number;
    input_shape: number[];
    state_dict: Record<string, number[]>;
    results: Record<string, HeadResult>;
  }[];
}

const heads = ['r3d18', 'r50'].flatMap((network) =>
  readGolden<HeadGolden>(`models/projection_head_${network}.json`).cases.map((head) => ({ network, ...head })),
);

for (const { network, salt, input_shape: shape, state_dict: state, results } of heads) {
  const hidden = state['fc1.weight']![0]!;
  for (const [name, expected] of Object.entries(results)) {
    const [mode, kind] = name.split('_') as ['train' | 'eval', 'd' | 's'];

    test(`head of ${network}, ${shape[0]} clips, ${mode}, kind ${kind}: outputs, gradients and statistics are the official ones`, () => {
      scope(() => {
        const head = new ProjectionHead(shape[1]!, { hidden }).train(mode === 'train');
        assert.deepEqual(
          [...head.stateDict()].map(([key, tensor]) => [key, [...tensor.shape]]),
          Object.entries(state),
        );
        hashFill(head, salt);
        const input = hashInput(`input_${kind}`, salt, shape).requiresGrad_(true);
        const outputs = project(head, input, kind);

        for (const [index, output] of outputs.entries()) {
          assertOfficial(output.narrow(1, 0, 8), expected.outputs[index]!, `output ${index}`);
        }
        for (const [index, row] of expected.output_full_first_row.entries()) {
          assertOfficial(outputs[index]!.select(0, 0), row, `first row of output ${index}`);
        }
        const loss = outputs
          .map((output, index) => output.mul(hashTensor(`probe_${kind}${index}`, salt, output.shape)).sum())
          .reduce((sum, term) => sum.add(term));
        assertOfficial(loss, expected.probe_loss, 'loss');

        loss.backward();
        const gradient = input.grad!;
        assertOfficial(gradient.abs().sum(), expected.grad_input_abs_sum, 'sum of the input gradient');
        const firstGradients = gradient.select(0, 0).narrow(0, 0, 6);
        assertOfficial(firstGradients, expected.grad_input_first, 'input gradient');
        for (const [key, parameter] of head.namedParameters()) {
          // In training, the bias before a batch normalisation has no gradient but rounding errors.
          if (mode === 'eval' || key !== 'fc1.bias') {
            assertOfficial(parameter.grad!.norm(), expected.grad_norms[key]!, `gradient norm of ${key}`);
          }
        }
        for (const [key, first] of Object.entries(expected.bn_after_first6 ?? {})) {
          assertOfficial(head.namedBuffers().get(key)!.narrow(0, 0, 6), first, key);
        }
        head.dispose();
      });
    });
  }
}

test('widths are configurable', () => {
  scope(() => {
    const head = new ProjectionHead(6, { hidden: 5, dimensions: 3 });
    assert.deepEqual([...head.fc1.weight.shape], [5, 6]);
    assert.deepEqual([...head.pooled(hashInput('x', 0, [4, 6, 2, 1, 1])).shape], [4, 3]);
    head.dispose();
  });
});

function assertOfficial(actual: Tensor, expected: Nested, what: string): void {
  assertClose(actual, expected, { relative: 2e-4, what });
}

function project(head: ProjectionHead, input: Tensor, kind: 'd' | 's'): Tensor[] {
  if (kind === 'd') {
    return [head.pooled(input)];
  }
  const { pooled, slices } = head.slices(input);
  return [pooled, ...slices];
}
