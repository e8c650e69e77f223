import { arange, bmm, cat, crossEntropyLoss, eye, type Tensor } from '@chronotope/torch';

/**
 * NT-Xent, the contrastive loss of aligned pairs (method note of TimeBalance, 2.1).
 *
 * With u = (b_1 … b_B, a_1 … a_B) and partner(k) = k + B mod 2B:
 *
 *   NTX(a, b) = 1/2B Σ_k −log [ exp(u_k·u_partner(k) / τ) / Σ_{m≠k} exp(u_k·u_m / τ) ]
 *
 * The positive stands in the denominator, only the anchor itself is left out. The similarity is the dot product:
 * callers give unit vectors. One pair (B = 1) has no negatives and gives 0 with zero gradient.
 *
 * @param a `[B, D]`, or `[P, B, D]` for P independent problems at once
 * @param b same shape as `a`; row k of `b` is the positive of row k of `a`
 * @returns a scalar, or `[P]` losses
 */
export function ntXent(a: Tensor, b: Tensor, options: { temperature?: number } = {}): Tensor {
  const { temperature = 0.1 } = options;
  if (a.ndim === 2) return ntXent(a.unsqueeze(0), b.unsqueeze(0), options).squeeze(0);

  const [problems, pairs] = [a.shape[0]!, a.shape[1]!];
  const anchors = 2 * pairs;
  const u = cat([b, a], { dim: 1 });
  const self = eye(anchors, { device: a.device }).to({ dtype: 'bool' });
  const logits = bmm(u, u.transpose(1, 2)).div(temperature).maskedFill(self, Number.NEGATIVE_INFINITY);
  const partner = arange(0, anchors, { dtype: 'int64', device: a.device }).add(pairs).remainder(anchors);
  const perAnchor = crossEntropyLoss(logits.reshape([-1, anchors]), partner.repeat([problems]), { reduction: 'none' });
  return perAnchor.reshape([problems, anchors]).mean(1);
}
