import { noGrad } from './autograd.js';
import { hold } from './callbacks.js';
import { readableStep, TorchError } from './errors.js';
import { any, isnan } from './generated/operators.js';
import { native } from './native.js';
import { Operator, setRecordingObserver } from './operator.js';
import { refusePromise, scope, TensorHandle } from './scope.js';
import type { Tensor } from './tensor.js';

let detecting = false;

/**
 * Switches the search for NaN in backward passes. While it is on, every operator remembers where it was called, and a
 * backward pass through it that gives NaN throws TorchError `anomaly` with the step's name and that place. It costs a
 * multiple of the time; switch it on to find a NaN, not to train. Recorded steps stay watched after it is off.
 */
export function setDetectAnomaly(flag: boolean): void {
  detecting = flag;
  setRecordingObserver(flag ? { before: () => native().sequenceNumber(), after: watch } : undefined);
}

/** Whether NaN is looked for. */
export function isAnomalyEnabled(): boolean {
  return detecting;
}

/** Runs `body` under {@link setDetectAnomaly}. Synchronous and exception-safe. */
export function detectAnomaly<R>(body: () => R): R {
  return withDetection(true, body);
}

function withDetection<R>(flag: boolean, body: () => R): R {
  const before = detecting;
  setDetectAnomaly(flag);
  try {
    const result = body();
    refusePromise(result);
    return result;
  } finally {
    setDetectAnomaly(before);
  }
}

/** Looks at the gradients of every step that was recorded since `sequence` to make the results. */
function watch(operator: string, results: readonly Tensor[], sequence: number): void {
  const place: { stack?: string } = {};
  Error.captureStackTrace(place, Operator.prototype.call);
  const frames = place.stack?.split('\n').slice(1).join('\n') ?? '';
  hold(
    (gradients, step) => {
      const index = withDetection(false, () => gradients.findIndex((gradient) => hasNan(gradient as Tensor | null)));
      if (index >= 0) throw anomaly(operator, readableStep(step), index, frames);
      return [];
    },
    (id) => native().watch(results.map(TensorHandle.of), sequence, id),
  );
}

function hasNan(gradient: Tensor | null): boolean {
  return gradient !== null && scope(() => noGrad(() => any(isnan(gradient)).item() !== 0));
}

function anomaly(operator: string, step: string, index: number, frames: string): TorchError {
  return new TorchError(
    `${step} gave NaN as the gradient of its input ${index}; ${operator} was called here:\n${frames}`,
    { code: 'anomaly', operator, hint: 'look for 0 / 0, log(0), sqrt(0) or an overflow among its inputs' },
  );
}
