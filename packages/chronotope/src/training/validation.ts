import type { nn } from '@chronotope/torch';
import type { Better } from './best.js';
import { randomState, restoreRandomState } from './random-state.js';
import type { WeightAverage } from './weight-average.js';

/** What a method can measure of its module while it is trained. */
export interface Validation {
  /** Measures the module as it is; it is in evaluation mode. */
  measure: () => Record<string, number> | Promise<Record<string, number>>;
  /** The name of the measured value that says which weights are the best. */
  metric: string;
  better: Better;
}

/**
 * Measures a module between two steps of its training without a trace: in evaluation mode, afterwards in the modes in
 * which each of its layers was, and with the random numbers where they were.
 *
 * @param average measured in place of the module's own weights, if given
 */
export async function measureUndisturbed<R>(
  module: nn.Module,
  average: WeightAverage | undefined,
  measure: () => R | Promise<R>,
): Promise<R> {
  const modes = module.modules().map((layer) => [layer, layer.training] as const);
  const random = randomState(module);
  module.eval();
  average?.swap();
  try {
    return await measure();
  } finally {
    average?.swap();
    for (const [layer, training] of modes) layer.training = training;
    restoreRandomState(module, random);
  }
}
