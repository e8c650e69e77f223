import { noGrad } from '../autograd.js';
import { tensor } from '../creation.js';
import { stack } from '../generated/operators.js';
import type { Parameter } from '../nn/parameter.js';
import { op } from '../operator.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';

const foreachNorm = op('aten::_foreach_norm.Scalar');

/**
 * Scales all gradients by one factor so that their joint norm is at most `maxNorm`.
 *
 * @param options.normType order of the norm, Infinity for the largest absolute value (default 2)
 * @returns the norm before clipping, a tensor of shape [] (so that nothing waits for a GPU)
 */
export function clipGradNorm_(
  parameters: Iterable<Parameter>,
  maxNorm: number,
  { normType = 2 }: { normType?: number } = {},
): Tensor {
  return scope(() =>
    noGrad(() => {
      const grads = [...parameters].flatMap((parameter) => parameter.grad ?? []);
      if (grads.length === 0) {
        return tensor(0);
      }
      const norms = stack(foreachNorm(grads, normType) as Tensor[]);
      const total = norms.norm(normType);
      const factor = total.add(1e-6).reciprocal().mul(maxNorm).clamp({ max: 1 });
      for (const grad of grads) {
        grad.mul_(factor);
      }
      return total;
    }),
  );
}
