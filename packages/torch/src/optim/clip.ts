import { noGrad } from '../autograd.js';
import { tensor } from '../creation.js';
import { TorchError } from '../errors.js';
import { stack } from '../generated/operators.js';
import type { Parameter } from '../nn/parameter.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';
import { foreachMulTensors_, foreachNorm } from './foreach.js';

/** Settings of {@link clipGradNorm_}. */
export interface ClipGradNormOptions {
  /** Order of the norm, Infinity for the largest absolute value. Default 2. */
  normType?: number;
  /** Throw when the norm is infinite or NaN. Default false. On a GPU it costs waiting for the result. */
  errorIfNonfinite?: boolean;
}

/**
 * Scales all gradients by one factor so that their joint norm is at most `maxNorm`.
 *
 * @returns the norm before clipping, a tensor of shape [] (so that nothing waits for a GPU)
 * @throws TorchError `argument` when the norm is not finite, if asked for; nothing has been scaled then
 */
export function clipGradNorm_(
  parameters: Iterable<Parameter>,
  maxNorm: number,
  { normType = 2, errorIfNonfinite = false }: ClipGradNormOptions = {},
): Tensor {
  return withGradients(parameters, (grads) => {
    if (grads.length === 0) {
      return tensor(0);
    }
    const total = stack(foreachNorm(grads, normType)).norm(normType);
    if (errorIfNonfinite && !Number.isFinite(total.item())) {
      throw new TorchError(`the norm of the gradients is ${total.item()}`, {
        code: 'argument',
        hint: 'a loss or an activation overflowed: lower the learning rate, or look for a division by 0',
      });
    }
    const factor = clippingFactor(total, maxNorm);
    foreachMulTensors_(
      grads,
      grads.map(() => factor),
    );
    return total;
  });
}

/**
 * Scales each gradient by a factor of its own so that its norm is at most `maxNorm`.
 *
 * @returns the norms before clipping, [number of parameters with a gradient]
 */
export function clipGradNormPerTensor_(
  parameters: Iterable<Parameter>,
  maxNorm: number,
  { normType = 2 }: { normType?: number } = {},
): Tensor {
  return withGradients(parameters, (grads) => {
    if (grads.length === 0) {
      return tensor([]);
    }
    const norms = stack(foreachNorm(grads, normType));
    foreachMulTensors_(grads, clippingFactor(norms, maxNorm).unbind());
    return norms;
  });
}

/** Limits every element of every gradient to [-maxValue, maxValue]. */
export function clipGradValue_(parameters: Iterable<Parameter>, maxValue: number): void {
  withGradients(parameters, (grads) => {
    for (const grad of grads) {
      grad.clamp_({ min: -maxValue, max: maxValue });
    }
  });
}

function withGradients<R>(parameters: Iterable<Parameter>, body: (grads: Tensor[]) => R): R {
  return scope(() => noGrad(() => body([...parameters].flatMap((parameter) => parameter.grad ?? []))));
}

/** PyTorch's: maxNorm / (norm + 1e-6), at most 1. */
function clippingFactor(norm: Tensor, maxNorm: number): Tensor {
  return norm.add(1e-6).reciprocal().mul(maxNorm).clamp({ max: 1 });
}
