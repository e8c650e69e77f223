/** Convolutions as products of large matrices. */
import { zeros } from '../creation.js';
import { constantPadNd, matmul, stack } from '../generated/operators.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';
import type { Algorithm } from './algorithms.js';
import { plain, reshapedResult } from './library.js';
import { kernelOf, MOST_WORKSPACE, outputSize, type Problem, productOf } from './problem.js';

const isAll = (numbers: readonly number[], value: number) => numbers.every((number) => number === value);

/** Every other element of the dimensions of space, as the stride says. A view. */
function everyStride(x: Tensor, stride: readonly number[]): Tensor {
  return stride.reduce((view, step, i) => (step === 1 ? view : view.slice({ dim: i + 2, step })), x);
}

/** `[N, C, ...]` to `[C, N * ...]` */
function channelsByPlaces(x: Tensor): Tensor {
  return x.flatten({ startDim: 2 }).transpose(0, 1).reshape([x.shape[1]!, -1]);
}

/** Kernels of one element: a matrix product at every place. */
export const pointwise: Algorithm = {
  supports: (problem) => isAll(kernelOf(problem), 1) && isAll(problem.padding, 0) && problem.groups === 1,
  forward(problem, x, weight) {
    const places = everyStride(x, problem.stride).flatten({ startDim: 2 });
    const products = matmul(weight.flatten({ startDim: 1 }), places);
    return reshapedResult(products, [x.shape[0]!, weight.shape[0]!, ...outputSize(problem)]);
  },
  inputGradient(problem, _x, weight, gradient) {
    const { input, stride } = problem;
    const places = matmul(weight.flatten({ startDim: 1 }).t(), gradient.flatten({ startDim: 2 }));
    const seen = places.view([...input.slice(0, 2), ...outputSize(problem)]);
    if (isAll(stride, 1)) return seen;
    const result = zeros(input, { dtype: gradient.dtype });
    everyStride(result, stride).copy_(seen);
    return result;
  },
  weightGradient(problem, x, _weight, gradient) {
    const places = channelsByPlaces(everyStride(x, problem.stride));
    return channelsByPlaces(gradient).matmul(places.t()).view(problem.weight);
  },
};

/** The input gradient of a convolution with stride 1 is one of the gradient with the kernel turned round. */
export const turned: Algorithm = {
  supports: (problem) =>
    problem.groups === 1 && isAll(problem.stride, 1) && turnedPadding(problem).every((p) => p >= 0),
  inputGradient(problem, _x, weight, gradient) {
    const space = kernelOf(problem).map((_, i) => i + 2);
    const weights = weight.transpose(0, 1).flip(space);
    return plain.forward({ ...problem, padding: turnedPadding(problem) }, gradient, weights.contiguous());
  },
};

/** The padding with which the gradient of an output becomes the gradient of the input. */
export function turnedPadding(problem: Problem): number[] {
  return kernelOf(problem).map((kernel, i) => problem.dilation[i]! * (kernel - 1) - problem.padding[i]!);
}

/** x with its padding, channels last: `[N, ...size, C]`. */
function paddedChannelsLast({ padding }: Problem, x: Tensor): Tensor {
  const last = x.movedim(1, -1);
  const pad = [0, 0, ...[...padding].reverse().flatMap((size) => [size, size])];
  return isAll(padding, 0) ? last.contiguous() : constantPadNd(last, pad).contiguous();
}

/** For every place of the output the elements of x under the whole kernel: `[N, ...output, ...kernel, C]`. A view. */
function patches(problem: Problem, padded: Tensor): Tensor {
  const [batchStride, ...rest] = padded.strides;
  const steps = rest.slice(0, -1);
  return padded.asStrided(
    [padded.shape[0]!, ...outputSize(problem), ...kernelOf(problem), padded.shape.at(-1)!],
    [
      batchStride!,
      ...steps.map((step, i) => step * problem.stride[i]!),
      ...steps.map((step, i) => step * problem.dilation[i]!),
      1,
    ],
  );
}

/** `[out, kernel elements * C]` to `[out, C, ...kernel]`. */
function channelsBeforeKernel({ weight }: Problem, flat: Tensor): Tensor {
  const [out, channels, ...kernel] = weight as [number, number, ...number[]];
  return flat
    .view([out, ...kernel, channels])
    .movedim(-1, 1)
    .contiguous();
}

/** One matrix product, with all patches of x written out: as many times the memory of x as the kernel has elements. */
export const unfolded: Algorithm = {
  supports(problem) {
    const places = problem.input[0]! * productOf(outputSize(problem));
    const elements = places * productOf(problem.weight.slice(1));
    return problem.groups === 1 && elements * Float32Array.BYTES_PER_ELEMENT <= MOST_WORKSPACE;
  },
  weightGradient(problem, x, _weight, gradient) {
    const view = patches(problem, paddedChannelsLast(problem, x));
    const places = gradient.numel / gradient.shape[1]!;
    return channelsBeforeKernel(problem, channelsByPlaces(gradient).matmul(view.reshape([places, -1])));
  },
};

/** One matrix product for each element of the kernel, with x shifted by it. */
export const shifted: Algorithm = {
  supports: ({ groups }) => groups === 1,
  weightGradient(problem, x, _weight, gradient) {
    const kernel = kernelOf(problem);
    const view = patches(problem, paddedChannelsLast(problem, x));
    const places = channelsByPlaces(gradient);
    const products = offsetsOf(kernel).map((offset) =>
      scope(() => {
        const at = offset.reduce((rest, index) => rest.select(1 + kernel.length, index), view);
        return places.matmul(at.reshape([places.shape[1]!, -1]));
      }),
    );
    return channelsBeforeKernel(problem, stack(products, { dim: 1 }));
  },
};

/** The indices of all elements of a kernel, in order. */
function offsetsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (offsets, size) => offsets.flatMap((offset) => Array.from({ length: size }, (_, i) => [...offset, i])),
    [[]],
  );
}
