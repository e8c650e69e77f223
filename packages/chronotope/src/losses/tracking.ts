import { binaryCrossEntropyWithLogits, logSigmoid, type Tensor } from '@chronotope/torch';

/**
 * The loss of SiamFC (Bertinetto et al., ECCVW 2016, Eq. 2): binary cross-entropy in which all positive places together
 * weigh as much as `negativeWeight` times all negative ones.
 *
 * @param response logits `[N, 1, h, w]`
 * @param label `[N, 1, h, w]`, or `[h, w]` for all pairs: 1 positive, 0 negative; other places have no weight
 */
export function balancedLoss(response: Tensor, label: Tensor, { negativeWeight = 1 } = {}): Tensor {
  const labels = label.expand(response.shape);
  const share = (value: number) => {
    const places = labels.eq(value).to({ dtype: response.dtype });
    return places.div(places.sum().clamp({ min: 1 }));
  };
  const weight = share(1).add(share(0).mul(negativeWeight));
  return binaryCrossEntropyWithLogits(response, labels, { weight: weight.div(weight.sum()), reduction: 'sum' });
}

/**
 * Focal loss (Lin et al., ICCV 2017) as trackers use it: places that are already right weigh less. Divided by the mean
 * weight, through which gradients flow as well (the official code of CCL's tracker).
 *
 * @param response logits `[N, 1, h, w]`
 * @param label `[N, 1, h, w]`, or `[h, w]` for all pairs, in {0, 1}
 */
export function focalLoss(response: Tensor, label: Tensor, { gamma = 2 } = {}): Tensor {
  const negative = label.neg().add(1);
  const hit = response.sigmoid();
  const wrongPositive = label.mul(hit.neg().add(1).pow(gamma));
  const wrongNegative = negative.mul(hit.pow(gamma));
  const entropy = wrongPositive.mul(logSigmoid(response)).add(wrongNegative.mul(logSigmoid(response.neg())));
  return entropy.mean().neg().div(wrongPositive.add(wrongNegative).mean());
}
