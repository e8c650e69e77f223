import type { Tensor } from '@chronotope/torch';
import { type InstancePositives, instanceLoss } from './instance.js';
import { globalLocalLossOverViews, localLocalLoss } from './temporal.js';

/** Unit embeddings of one pre-training batch of B videos. */
export interface PretextEmbeddings {
  /** `[2, B, D]` pooled embedding of the global clip, by view. */
  globals: Tensor;
  /** `[2, B, K, D]` embeddings of the K slices of the global clip, by view. */
  slices: Tensor;
  /** `[2, B, K, D]` pooled embeddings of the K local clips, by view. */
  locals: Tensor;
}

/** Factors of the three terms of the pretext loss. */
export interface PretextWeights {
  instance: number;
  localLocal: number;
  globalLocal: number;
}

/** Settings of {@link pretextLoss}. */
export interface PretextLossOptions {
  weights: PretextWeights;
  temperature?: number;
  positives?: InstancePositives;
  /** `sum` over the batch is official; `mean` makes the balance of the terms independent of the batch size. */
  localLocalReduction?: 'sum' | 'mean';
}

/** Scalars; the parts are unweighted, `total` is weighted. Parts of weight 0 are absent. */
export interface PretextLoss {
  total: Tensor;
  instanceGlobal?: Tensor;
  instanceLocal?: Tensor;
  localLocal?: Tensor;
  globalLocal?: Tensor;
}

/**
 * The pre-training loss of stages A_I, A_D and A_S (TimeBalance, method note 2.5):
 *
 *   L = w_inv (L_global + L_local) + w_LL L_LL + w_GL L_GL
 *
 * with weights (1,0,0) for the invariant teacher, (0,1,1) for the distinctive one, (1,1,1) for the student's start.
 * Parts of weight 0 are not computed; at least one must have another.
 */
export function pretextLoss(embeddings: PretextEmbeddings, options: PretextLossOptions): PretextLoss {
  const { weights, temperature = 0.1, positives = 'all', localLocalReduction = 'sum' } = options;
  const { globals, slices, locals } = embeddings;
  const parts: Omit<PretextLoss, 'total'> = {};
  const weighted: Tensor[] = [];
  if (weights.instance > 0) {
    const { global, local } = instanceLoss(globals, locals, { temperature, positives });
    Object.assign(parts, { instanceGlobal: global, instanceLocal: local });
    weighted.push(global.add(local).mul(weights.instance));
  }
  if (weights.localLocal > 0) {
    const views = [locals.select(0, 0), locals.select(0, 1)] as const;
    parts.localLocal = localLocalLoss(...views, { temperature, reduction: localLocalReduction });
    weighted.push(parts.localLocal.mul(weights.localLocal));
  }
  if (weights.globalLocal > 0) {
    parts.globalLocal = globalLocalLossOverViews(slices, locals, { temperature });
    weighted.push(parts.globalLocal.mul(weights.globalLocal));
  }
  if (weighted.length === 0) throw new RangeError('a pretext loss needs a weight above 0');
  return { total: weighted.reduce((sum, part) => sum.add(part)), ...parts };
}
