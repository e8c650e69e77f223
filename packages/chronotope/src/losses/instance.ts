import { stack, type Tensor } from '@chronotope/torch';
import { ntXent } from './nt-xent.js';

/** Which pairs of clips of one video attract each other. */
export type InstancePositives = 'all' | 'different-time';

/** The two parts of the instance loss; their sum trains the temporally-invariant teacher. */
export interface InstanceLoss {
  /** NT-Xent between the two views of the global clip; scalar. */
  global: Tensor;
  /** 1/K Σ over ordered pairs of local clips; scalar. */
  local: Tensor;
}

/**
 * Temporally-invariant instance contrast (TimeBalance, method note 2.2):
 *
 *   L_inv = NTX(g_0, g_1) + 1/K Σ_{i≠j} NTX(e_i, e_j)
 *
 * over all ordered pairs of the 2K embeddings (2 views × K times) of a video's local clips. NTX is symmetric, so each
 * unordered pair is computed once and counted twice.
 *
 * `positives: 'different-time'` is the paper's wording: only clips at different times attract each other, which leaves
 * out the pairs of two views of one clip and the global pair.
 *
 * @param globals `[2, B, D]` unit embeddings of the global clip, by view
 * @param locals `[2, B, K, D]` unit embeddings of the local clips, by view
 */
export function instanceLoss(
  globals: Tensor,
  locals: Tensor,
  options: { temperature?: number; positives?: InstancePositives } = {},
): InstanceLoss {
  const { temperature = 0.1, positives = 'all' } = options;
  const times = locals.shape[2]!;
  const embeddings = locals.permute([0, 2, 1, 3]).flatten({ startDim: 0, endDim: 1 });
  const timeOf = (index: number) => index % times;

  const left: Tensor[] = [];
  const right: Tensor[] = [];
  for (let i = 0; i < 2 * times; i++) {
    for (let j = i + 1; j < 2 * times; j++) {
      if (positives === 'different-time' && timeOf(i) === timeOf(j)) continue;
      left.push(embeddings.select(0, i));
      right.push(embeddings.select(0, j));
    }
  }
  const pairLosses = ntXent(stack(left), stack(right), { temperature });
  const global = ntXent(globals.select(0, 0), globals.select(0, 1), { temperature });
  return {
    global: positives === 'all' ? global : global.mul(0),
    local: pairLosses.sum().mul(2 / times),
  };
}
