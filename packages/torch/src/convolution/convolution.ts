import { isAutocastEnabled } from '../amp/autocast.js';
import { isGradEnabled } from '../autograd.js';
import { autogradFunction, type FunctionContext } from '../autograd-function.js';
import { conv2d, conv3d } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { convolutionBackward } from './library.js';
import { type Geometry, problemOf } from './problem.js';
import { computePass, isConvolutionTuned } from './tuning.js';

/**
 * Convolution of `[N, C, H, W]` or `[N, C, T, H, W]` with weights `[out, in / groups, ...kernel]`. With
 * {@link convolutionTuning} each of its three passes takes the fastest algorithm; otherwise, and for what is not
 * float32 or float64 on the CPU, libtorch's own operator computes it.
 */
export function convolution(x: Tensor, weight: Tensor, bias: Tensor | null, geometry: Geometry): Tensor {
  if (!isTunable(x, weight)) {
    return weight.ndim === 5 ? conv3d(x, weight, { bias, ...geometry }) : conv2d(x, weight, { bias, ...geometry });
  }
  const isRecorded = isGradEnabled() && (x.requiresGrad || weight.requiresGrad);
  const y = isRecorded
    ? recorded(geometry)(x, weight)
    : computePass('forward', problemOf(x, weight, geometry), x, weight);
  return bias === null ? y : y.add_(bias.view([-1, ...geometry.stride.map(() => 1)]));
}

function isTunable(x: Tensor, weight: Tensor): boolean {
  return (
    isConvolutionTuned() &&
    x.ndim === weight.ndim &&
    x.numel > 0 &&
    (x.dtype === 'float32' || x.dtype === 'float64') &&
    x.dtype === weight.dtype &&
    x.device === 'cpu' &&
    weight.device === 'cpu' &&
    !isAutocastEnabled('cpu')
  );
}

/** The convolution as a step of the graph whose backward pass computes what is needed, each by its own algorithm. */
function recorded(geometry: Geometry) {
  return autogradFunction({
    name: 'Convolution',
    forward(context: FunctionContext, x: Tensor, weight: Tensor) {
      context.saveForBackward(x, weight);
      return computePass('forward', problemOf(x, weight, geometry), x, weight);
    },
    backward(context, gradient) {
      const [x, weight] = context.savedTensors as [Tensor, Tensor];
      const [needsInput, needsWeight] = context.needsInputGrad as [boolean, boolean];
      const problem = problemOf(x, weight, geometry);
      // Second derivatives: only libtorch's own operator has them.
      if (isGradEnabled()) return convolutionBackward(problem, gradient, x, weight, [needsInput, needsWeight]);
      const operands = [x, weight, gradient.contiguous()] as const;
      return [
        needsInput ? computePass('inputGradient', problem, ...operands) : null,
        needsWeight ? computePass('weightGradient', problem, ...operands) : null,
      ];
    },
  });
}
