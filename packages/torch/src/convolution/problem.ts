import type { Tensor } from '../tensor.js';

/** The steps of a convolution layer: one number per dimension of space (and time). */
export interface Geometry {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** What a pass of a convolution layer computes. */
export type Pass = 'forward' | 'inputGradient' | 'weightGradient';

/** A convolution without its numbers: what decides which algorithm can compute it, and which is the fastest. */
export interface Problem extends Geometry {
  /** `[N, in, ...size]` */
  readonly input: readonly number[];
  /** `[out, in / groups, ...kernel]` */
  readonly weight: readonly number[];
  readonly dtype: string;
}

/**
 * Algorithms whose intermediate results take more bytes than this beside their operands are not candidates: what leaves
 * the cache does not win, and already to measure it would raise the peak memory of training.
 */
export const MOST_WORKSPACE = 64 * 2 ** 20;

/** The problem of convolving `x` [N, C, …] with `weight` [K, C / groups, …]. */
export function problemOf(x: Tensor, weight: Tensor, geometry: Geometry): Problem {
  return { ...geometry, input: x.shape, weight: weight.shape, dtype: x.dtype };
}

/** Sizes of the kernel in space (and time). */
export function kernelOf({ weight }: Problem): readonly number[] {
  return weight.slice(2);
}

/** Sizes of the output in space (and time). */
export function outputSize(problem: Problem): number[] {
  const { input, stride, padding, dilation } = problem;
  return kernelOf(problem).map((kernel, i) => {
    const reach = input[i + 2]! + 2 * padding[i]! - dilation[i]! * (kernel - 1) - 1;
    return Math.floor(reach / stride[i]!) + 1;
  });
}

/** A name that two problems share only when they are the same. */
export function keyOf(pass: Pass, problem: Problem, threads: number): string {
  const { dtype, input, weight, stride, padding, dilation, groups } = problem;
  const list = (numbers: readonly number[]) => numbers.join('x');
  return [
    pass,
    dtype,
    `input ${list(input)}`,
    `weight ${list(weight)}`,
    `stride ${list(stride)}`,
    `padding ${list(padding)}`,
    `dilation ${list(dilation)}`,
    `groups ${groups}`,
    `threads ${threads}`,
  ].join(', ');
}

/** The product of all numbers; 1 for none. */
export function productOf(numbers: readonly number[]): number {
  return numbers.reduce((product, number) => product * number, 1);
}
