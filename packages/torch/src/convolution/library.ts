/** What libtorch has itself: oneDNN's direct convolutions, on the usual layout and on one with the channels last. */
import { Operator } from '../operator.js';
import type { MemoryFormat, Tensor } from '../tensor.js';
import type { Algorithm } from './algorithms.js';
import type { Problem } from './problem.js';

const CONVOLUTION = new Operator<Tensor>('aten::convolution');
const BACKWARD = new Operator<[Tensor | null, Tensor | null, Tensor | null]>('aten::convolution_backward');

const UNSAFE_VIEW = new Operator<Tensor>('aten::_unsafe_view');

/** A new tensor in another shape: no view to autograd, so that it may be changed in place. Nobody else may hold it. */
export function reshapedResult(x: Tensor, shape: readonly number[]): Tensor {
  return UNSAFE_VIEW.call(x, shape);
}

/** The arguments of both operators, which compute transposed convolutions as well. */
function geometryOf({ stride, padding, dilation, groups }: Problem) {
  const outputPadding = padding.map(() => 0);
  return [stride, padding, dilation, false, outputPadding, groups] as const;
}

function convolve(problem: Problem, x: Tensor, weight: Tensor): Tensor {
  return CONVOLUTION.call(x, weight, null, ...geometryOf(problem));
}

/** The gradients of x and of the weight, where they are asked for. Differentiable. */
export function convolutionBackward(
  problem: Problem,
  gradient: Tensor,
  x: Tensor,
  weight: Tensor,
  wanted: readonly [input: boolean, weight: boolean],
): [Tensor | null, Tensor | null] {
  const [input, weights] = BACKWARD.call(gradient, x, weight, null, ...geometryOf(problem), [...wanted, false]);
  return [input, weights];
}

export const plain = {
  supports: () => true,
  forward: convolve,
  inputGradient(problem: Problem, x: Tensor, weight: Tensor, gradient: Tensor): Tensor {
    return convolutionBackward(problem, gradient, x, weight, [true, false])[0]!;
  },
  weightGradient(problem: Problem, x: Tensor, weight: Tensor, gradient: Tensor): Tensor {
    return convolutionBackward(problem, gradient, x, weight, [false, true])[1]!;
  },
} satisfies Algorithm;

export const channelsLast: Algorithm = {
  supports: ({ input }) => input.length > 3,
  forward: (problem, x, weight) => plain.forward(problem, reordered(x), weight).contiguous(),
  inputGradient: (problem, x, weight, gradient) =>
    plain.inputGradient(problem, reordered(x), weight, reordered(gradient)).contiguous(),
  weightGradient: (problem, x, weight, gradient) =>
    plain.weightGradient(problem, reordered(x), weight, reordered(gradient)).contiguous(),
};

function reordered(x: Tensor): Tensor {
  const memoryFormat: MemoryFormat = x.ndim === 5 ? 'channelsLast3d' : 'channelsLast';
  return x.contiguous({ memoryFormat });
}
