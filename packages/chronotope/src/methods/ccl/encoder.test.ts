import { describe, test } from 'node:test';
import { noGrad, scope, type Tensor, tensor } from '@chronotope/torch';
import { createImageBackbone, type FrameResNetName } from '../../models/frame-resnet.js';
import { formulaImages } from '../../testing/ccl-golden.js';
import { assertClose, type Nested, readGolden } from '../../testing/golden.js';
import { CclEncoder } from './encoder.js';

describe('encoders with weights by formula', () => {
  interface Forward {
    cases: {
      arch: FrameResNetName;
      input_shape: [number, number, number, number];
      input_phase: number;
      pooled: number[][];
      embedding_normalised: Nested;
      embedding_cycle_normalised: Nested;
    }[];
  }
  for (const c of readGolden<Forward>('ccl/backbone_forward.json').cases) {
    test(`${c.arch}: official pooled features and both embeddings`, () =>
      scope(() => {
        const encoder = new CclEncoder(createImageBackbone(c.arch)).eval();
        const state = encoder.stateDict();
        const keysOf = (start: string) => [...state.keys()].filter((key) => key.startsWith(start));
        // The official numbering runs through encoder_q, backbone and head, and starts anew for the second head.
        for (const keys of [[...keysOf('backbone.'), ...keysOf('head.')], keysOf('cycle_head.')]) {
          for (const [j, key] of keys.entries()) state.get(key)!.copy_(formulaWeight(key, state.get(key)!, j));
        }
        const images = formulaImages(c.input_shape, c.input_phase);
        const { pooled, intra, cycle } = noGrad(() => ({
          pooled: encoder.backbone.call(images),
          ...encoder.call(images),
        }));
        const close = { relative: 1e-4, absolute: 1e-5 };
        assertClose(pooled.narrow(1, 0, c.pooled[0]!.length), c.pooled, close);
        assertClose(intra, c.embedding_normalised, close);
        assertClose(cycle, c.embedding_cycle_normalised, close);
      }));
  }
});

/** `weight_formula` of the golden file. */
function formulaWeight(key: string, { shape, numel, dtype }: Tensor, j: number): Tensor {
  if (dtype === 'int64') return tensor(0, { dtype });
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: numel }, (_, i) => {
    const s = 43758.5453 * Math.sin(12.9898 * (i + 1) + 78.233 * (j + 1));
    const a = 2 * (s - Math.floor(s)) - 1;
    if (shape.length === 4) return a * Math.sqrt(6 / fanIn);
    if (shape.length === 2) return a * Math.sqrt(3 / fanIn);
    if (key.endsWith('running_mean')) return 0.1 * a;
    if (key.endsWith('running_var')) return 1 + 0.5 * Math.abs(a);
    return key.endsWith('.weight') ? 0.6 + 0.1 * a : 0.05 * a;
  });
  return tensor(values, { shape: [...shape] });
}
