import { keep } from '../scope.js';
import type { Tensor } from '../tensor.js';
import { foreachAdd_, foreachMul_ } from './foreach.js';
import { type ParameterState, stateTensors } from './optimizer.js';

/**
 * Folds gradients into the momentum buffers of the states and returns the buffers:
 * momentum * buffer + (1 - dampening) * gradient. A parameter's first gradient enters whole, as in PyTorch.
 */
export function updateMomentum(
  { momentum, dampening = 0 }: { momentum: number; dampening?: number },
  states: readonly ParameterState[],
  grads: readonly Tensor[],
): Tensor[] {
  const isStarted = states.map(({ tensors }) => tensors.momentum_buffer !== undefined);
  const started = states.filter((_, index) => isStarted[index]);
  if (started.length > 0) {
    const buffers = stateTensors(started, 'momentum_buffer');
    foreachMul_(buffers, momentum);
    foreachAdd_(
      buffers,
      grads.filter((_, index) => isStarted[index]),
      1 - dampening,
    );
  }
  for (const [index, { tensors }] of states.entries()) {
    tensors.momentum_buffer ??= keep(grads[index]!.clone());
  }
  return stateTensors(states, 'momentum_buffer');
}
