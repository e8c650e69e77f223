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

/** Scalars; the parts are unweighted, `total` is weighted. */
export interface PretextLoss {
  total: Tensor;
  instanceGlobal: Tensor;
  instanceLocal: Tensor;
  localLocal: Tensor;
  globalLocal: Tensor;
}

/**
 * The pre-training loss of stages A_I, A_D and A_S (TimeBalance, method note 2.5):
 *
 *   L = w_inv (L_global + L_local) + w_LL L_LL + w_GL L_GL
 *
 * with weights (1,0,0) for the invariant teacher, (0,1,1) for the distinctive one, (1,1,1) for the student's start.
 * All parts are evaluated, also at weight 0, so that they can be logged.
 */
export function pretextLoss(embeddings: PretextEmbeddings, options: PretextLossOptions): PretextLoss {
  const { weights, temperature = 0.1, positives = 'all', localLocalReduction = 'sum' } = options;
  const { globals, slices, locals } = embeddings;
  const instance = instanceLoss(globals, locals, { temperature, positives });
  const localLocal = localLocalLoss(locals.select(0, 0), locals.select(0, 1), {
    temperature,
    reduction: localLocalReduction,
  });
  const globalLocal = globalLocalLossOverViews(slices, locals, { temperature });
  const total = instance.global
    .add(instance.local)
    .mul(weights.instance)
    .add(localLocal.mul(weights.localLocal))
    .add(globalLocal.mul(weights.globalLocal));
  return { total, instanceGlobal: instance.global, instanceLocal: instance.local, localLocal, globalLocal };
}
