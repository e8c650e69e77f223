import { noGrad } from '../autograd.js';
import { TorchError } from '../errors.js';
import { scope } from '../scope.js';
import { BatchNorm } from './batch-norm.js';
import { Conv1d, Conv2d, Conv3d } from './conv.js';
import type { Module } from './module.js';
import { Parameter } from './parameter.js';

type Convolution = Conv1d | Conv2d | Conv3d;

/**
 * Folds every batch normalisation that directly follows a convolution, in the order of registration, into that
 * convolution, in place:
 *
 *   weight' = weight · γ / √(var + ε),   bias' = (bias − mean) · γ / √(var + ε) + β
 *
 * The outputs stay the same up to rounding, with one operation less for each pair. Only for networks that are frozen and
 * whose layers run in the order in which they are registered: weights and state dict are others afterwards, and the
 * module cannot be trained any more.
 *
 * @returns how many were folded
 * @throws TorchError `argument` if the module is in training mode, where batch normalisation uses the batch
 */
export function foldBatchNorm(module: Module): number {
  const layers = leavesOf(module);
  let folded = 0;
  for (const [place, norm] of layers.entries()) {
    const convolution = layers[place - 1];
    if (!(norm instanceof BatchNorm) || norm.folded || !isConvolution(convolution)) continue;
    if (norm.training) {
      throw new TorchError('foldBatchNorm needs the module in evaluation mode', {
        code: 'argument',
        hint: 'call eval() first',
      });
    }
    fold(convolution, norm);
    folded++;
  }
  return folded;
}

function fold(convolution: Convolution, norm: BatchNorm): void {
  scope(() =>
    noGrad(() => {
      const { weight, bias } = convolution;
      const scale = norm.runningVar.add(norm.eps).rsqrt();
      const gain = norm.weight ? scale.mul(norm.weight) : scale;
      const centred = bias ? bias.sub(norm.runningMean) : norm.runningMean.mul(-1);
      const offset = norm.bias ? centred.mul(gain).add(norm.bias) : centred.mul(gain);
      weight.copy_(weight.mul(gain.reshape([-1, ...weight.shape.slice(1).map(() => 1)])));
      if (bias) bias.copy_(offset);
      else (convolution as { bias: Parameter | null }).bias = new Parameter(offset, { requiresGrad: false });
      norm.folded = true;
    }),
  );
}

function isConvolution(layer: Module | undefined): layer is Convolution {
  return layer instanceof Conv1d || layer instanceof Conv2d || layer instanceof Conv3d;
}

/** The layers without submodules, in the order of registration. */
function leavesOf(module: Module): Module[] {
  const children = module.children();
  return children.length === 0 ? [module] : children.flatMap(leavesOf);
}
