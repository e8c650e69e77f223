import { cat, crossEntropyLoss, type Tensor, zeros } from '@chronotope/torch';

/** Settings of {@link infoNceLogits}. */
export interface InfoNceOptions {
  /** τ. Default 0.07, that of MoCo and CCL. */
  temperature?: number;
  /** Negatives that are none, bool `[N, K]`: they get probability 0. */
  excluded?: Tensor | null;
}

/**
 * Similarities of each anchor to its positive (column 0) and to shared negatives, divided by the temperature: the logits
 * of MoCo (He et al., CVPR 2020, Eq. 1) and of CCL's Eq. 1 and 3.
 *
 * @param anchors `[N, C]` unit vectors
 * @param positives `[N, C]` unit vectors
 * @param negatives `[C, K]` unit columns, such as a queue of keys
 * @returns `[N, 1 + K]`
 */
export function infoNceLogits(
  anchors: Tensor,
  positives: Tensor,
  negatives: Tensor,
  { temperature = 0.07, excluded = null }: InfoNceOptions = {},
): Tensor {
  const positive = anchors.mul(positives).sum(1, { keepdim: true });
  const similarities = anchors.matmul(negatives);
  const negative = excluded ? similarities.maskedFill(excluded, Number.NEGATIVE_INFINITY) : similarities;
  return cat([positive, negative], { dim: 1 }).div(temperature);
}

/**
 * InfoNCE: −log softmax(logits)[positive], mean over the anchors. The positive stands in the denominator too.
 *
 * @param logits `[N, 1 + K]`, the positive in column 0
 * @returns a scalar
 */
export function infoNce(logits: Tensor): Tensor {
  return crossEntropyLoss(logits, zeros([logits.shape[0]!], { dtype: 'int64', device: logits.device }));
}
