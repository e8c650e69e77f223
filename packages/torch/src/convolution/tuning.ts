import { TorchError } from '../errors.js';
import { getNumThreads } from '../runtime.js';
import type { Tensor } from '../tensor.js';
import { ALGORITHMS, candidates, isCandidate, runAlgorithm } from './algorithms.js';
import { keyOf, type Pass, type Problem } from './problem.js';

export interface ConvolutionTuning {
  /** Whether convolution layers on the CPU choose among several algorithms. Otherwise libtorch's own computes all. */
  enabled: boolean;
  /**
   * Whether a new shape is measured at its first use. False computes it plainly, so that with the choices of an earlier
   * run ({@link setConvolutionChoices}) every number repeats. Default true.
   */
  measure?: boolean;
  /** For how long one pass of one shape is measured; every algorithm runs twice in any case. Default 500. */
  milliseconds?: number;
  /** Told of all choices when one was added, before it is used. Default: nobody. */
  onChoice?: (choices: ConvolutionChoices) => void;
}

/** Which algorithm computes which pass of which shape with how many threads. Can be saved as JSON. */
export type ConvolutionChoices = Record<string, string>;

const OFF: Required<ConvolutionTuning> = { enabled: false, measure: true, milliseconds: 500, onChoice: () => {} };
/** An algorithm this many times slower than the best at its first run is not measured again. */
const HOPELESS = 2;

let tuning = OFF;
const chosen = new Map<string, string>();

/**
 * Makes convolution layers faster on the CPU: each pass of each shape is computed by the algorithm that was the
 * fastest when it was measured, at its first use. All algorithms are exact up to rounding. Off by default, because which
 * one is the fastest may change from run to run, and with it the last bits: where these count, save
 * {@link convolutionChoices} and set them in the next run. Holds for the calling thread.
 */
export function convolutionTuning(settings: ConvolutionTuning): void {
  tuning = { ...OFF, ...settings };
}

/** Whether `Conv2d` and `Conv3d` choose among algorithms now. */
export function isConvolutionTuned(): boolean {
  return tuning.enabled;
}

/** What has been chosen so far. */
export function convolutionChoices(): ConvolutionChoices {
  return Object.fromEntries(chosen);
}

/**
 * Replaces all choices, by those of an earlier run or by none.
 *
 * @throws TorchError `argument` for an algorithm that does not exist
 */
export function setConvolutionChoices(choices: ConvolutionChoices): void {
  for (const [problem, name] of Object.entries(choices)) {
    if (ALGORITHMS.has(name)) continue;
    throw new TorchError(`there is no convolution algorithm '${name}' (chosen for ${problem})`, {
      code: 'argument',
      hint: `the choices come from another version; known are ${[...ALGORITHMS.keys()].join(', ')}`,
    });
  }
  chosen.clear();
  for (const [problem, name] of Object.entries(choices)) chosen.set(problem, name);
}

/** Computes a pass by the algorithm that was chosen for it, which is measured where there is none yet. */
export function computePass(pass: Pass, problem: Problem, ...operands: Tensor[]): Tensor {
  const key = keyOf(pass, problem, getNumThreads());
  let name = chosen.get(key);
  if (name === undefined && tuning.measure) {
    name = fastest(pass, problem, operands);
    chosen.set(key, name);
    tuning.onChoice(convolutionChoices());
  }
  const usable = name !== undefined && isCandidate(name, pass, problem) ? name : 'plain';
  return runAlgorithm(usable, pass, problem, operands);
}

/** Runs all algorithms in turn until the time is up, so that what else the machine does strikes all alike. */
function fastest(pass: Pass, problem: Problem, operands: readonly Tensor[]): string {
  let remaining = candidates(pass, problem).map((name) => ({ name, best: Number.POSITIVE_INFINITY }));
  const isWorthMore = ({ best }: { best: number }) =>
    best <= HOPELESS * Math.min(...remaining.map((other) => other.best));
  const end = performance.now() + tuning.milliseconds;
  for (let round = 0; remaining.length > 1 && (round < 2 || performance.now() < end); round++) {
    for (const candidate of remaining) {
      const start = performance.now();
      runAlgorithm(candidate.name, pass, problem, operands).dispose();
      // The first round prepares kernels and memory as well.
      candidate.best = Math.min(candidate.best, performance.now() - start);
    }
    if (round > 0) remaining = remaining.filter(isWorthMore);
  }
  return remaining.reduce((one, other) => (other.best < one.best ? other : one)).name;
}
