/**
 * Exact algorithms for the three passes of a convolution. They differ in speed and in how rounding errors arise, not in
 * what they compute. None records anything for autograd.
 */
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';
import { channelsLast, plain } from './library.js';
import { pointwise, shifted, turned, unfolded } from './matrix-products.js';
import type { Pass, Problem } from './problem.js';
import { winograd } from './winograd.js';

/** What computes some of the passes, the gradients from the gradient of the output. */
export interface Algorithm {
  /** Whether it can compute the passes that it has of this problem. */
  supports(problem: Problem, pass: Pass): boolean;
  readonly forward?: (problem: Problem, x: Tensor, weight: Tensor) => Tensor;
  readonly inputGradient?: (problem: Problem, x: Tensor, weight: Tensor, gradient: Tensor) => Tensor;
  readonly weightGradient?: (problem: Problem, x: Tensor, weight: Tensor, gradient: Tensor) => Tensor;
}

/** Every algorithm by the name under which a choice is saved. `plain` computes everything. */
export const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['plain', plain],
  ['channelsLast', channelsLast],
  ['pointwise', pointwise],
  ['turned', turned],
  ['shifted', shifted],
  ['unfolded', unfolded],
  ['winograd2', winograd(2)],
  ['winograd4', winograd(4)],
]);

/** Names of the algorithms that can compute a pass of a problem; `plain` is the first. */
export function candidates(pass: Pass, problem: Problem): string[] {
  return [...ALGORITHMS.keys()].filter((name) => isCandidate(name, pass, problem));
}

/** Whether an algorithm can compute a pass of a problem. */
export function isCandidate(name: string, pass: Pass, problem: Problem): boolean {
  const algorithm = ALGORITHMS.get(name);
  return algorithm?.[pass] !== undefined && algorithm.supports(problem, pass);
}

/** Computes a pass of x and weight, and for the gradients the gradient of the output. */
export function runAlgorithm(name: string, pass: Pass, problem: Problem, operands: readonly Tensor[]): Tensor {
  const run = ALGORITHMS.get(name)![pass] as (problem: Problem, ...operands: readonly Tensor[]) => Tensor;
  return scope(() => run(problem, ...operands));
}
