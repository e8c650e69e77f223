import { noGrad } from '../autograd.js';
import { full } from '../creation.js';
import { addcmul, cat, varMean } from '../generated/operators.js';
import { BatchNorm } from '../nn/batch-norm.js';
import type { Module } from '../nn/module.js';
import type { Tensor } from '../tensor.js';
import { allGatherWithGrad } from './collectives.js';
import { worldSize } from './process-group.js';

/**
 * Batch normalisation of `[N, C]` to `[N, C, T, H, W]` whose training statistics are those of all ranks' samples
 * together, so that two ranks with batches of B do what one process does with a batch of 2B. N may differ between ranks.
 * Keys and evaluation are those of {@link nn.BatchNorm2d}.
 */
export class SyncBatchNorm extends BatchNorm {
  protected override readonly dimensions = [2, 3, 4, 5];

  override forward(x: Tensor): Tensor {
    return synchronises(this) ? normalizeOverRanks(this, x) : super.forward(x);
  }
}

/**
 * Makes every batch normalisation in a module use the statistics of all ranks' samples in training, as
 * {@link SyncBatchNorm} does. The layers, their parameters and their keys stay the same. Returns the module.
 */
export function convertSyncBatchNorm<M extends Module>(module: M): M {
  for (const layer of module.modules()) {
    if (!(layer instanceof BatchNorm) || layer instanceof SyncBatchNorm) continue;
    const alone = layer.forward.bind(layer);
    layer.forward = (x) => (synchronises(layer) ? normalizeOverRanks(layer, x) : alone(x));
  }
  return module;
}

const synchronises = (layer: BatchNorm) => layer.training && worldSize() > 1;

function normalizeOverRanks(layer: BatchNorm, input: Tensor): Tensor {
  // Neither the number of values a channel nor their mean has room in 16 bits.
  const x = input.dtype === 'float16' || input.dtype === 'bfloat16' ? input.to({ dtype: 'float32' }) : input;
  const channels = x.shape[1]!;
  const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
  const count = full([1], x.numel / channels, { dtype: x.dtype, device: x.device });
  const [ownVariance, ownMean] = varMean(x, others, { correction: 0 });
  const all = allGatherWithGrad(cat([ownMean, ownVariance, count]).unsqueeze(0));

  // Chan et al. 1979: the variance of all samples from the ranks' means and variances, without cancellation.
  const counts = all.detach().narrow(1, 2 * channels, 1);
  const total = counts.sum().item();
  const shares = counts.div(total);
  const means = all.narrow(1, 0, channels);
  const mean = means.mul(shares).sum(0);
  const variance = all.narrow(1, channels, channels).add(means.sub(mean).square()).mul(shares).sum(0);
  updateRunningStatistics(layer, mean, variance, total);

  const inverse = variance.add(layer.eps).rsqrt();
  const scale = layer.weight === null ? inverse : inverse.mul(layer.weight);
  const shift = layer.bias === null ? mean.mul(scale).neg() : layer.bias.sub(mean.mul(scale));
  return addcmul(perChannel(shift, x.ndim), x, perChannel(scale, x.ndim)).to({ dtype: input.dtype });
}

function updateRunningStatistics(layer: BatchNorm, mean: Tensor, variance: Tensor, total: number): void {
  noGrad(() => {
    layer.numBatchesTracked.add_(1);
    layer.runningMean.mul_(1 - layer.momentum).add_(mean.mul(layer.momentum));
    layer.runningVar.mul_(1 - layer.momentum).add_(variance.mul((layer.momentum * total) / Math.max(total - 1, 1)));
  });
}

/** `[C]` as `[1, C, 1, ...]`, to combine with a batch. */
function perChannel(values: Tensor, ndim: number): Tensor {
  return values.reshape([1, -1, ...Array(ndim - 2).fill(1)]);
}
