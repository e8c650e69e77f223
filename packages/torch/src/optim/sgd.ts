import { zerosLike } from '../generated/operators.js';
import type { Parameter } from '../nn/parameter.js';
import type { Tensor } from '../tensor.js';
import { foreachAdd, foreachAdd_, foreachMul_ } from './foreach.js';
import {
  type CommonOptions,
  Optimizer,
  type ParameterState,
  type ParamGroup,
  type ParamsOrGroups,
  stateTensors,
  type Update,
} from './optimizer.js';

export interface SGDOptions extends CommonOptions {
  /** Share of the previous update that is kept. */
  momentum: number;
  /** Share of the gradient that does not enter the momentum (not in the first step). */
  dampening: number;
  /** Look ahead along the momentum (Sutskever et al., ICML 2013). */
  nesterov: boolean;
}

/** Stochastic gradient descent, PyTorch's arithmetic. Weight decay is added to the gradient. */
export class SGD extends Optimizer<SGDOptions> {
  /** Defaults: lr 1e-3, momentum 0, dampening 0, nesterov false, weightDecay 0. */
  constructor(params: ParamsOrGroups<SGDOptions>, options: Partial<SGDOptions> = {}) {
    super(params, { lr: 1e-3, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0, ...options });
  }

  protected override initialTensors(parameter: Parameter, group: ParamGroup<SGDOptions>): Record<string, Tensor> {
    return group.momentum === 0 ? {} : { momentum_buffer: zerosLike(parameter) };
  }

  protected override update({ group, params, grads, states }: Update<SGDOptions>): void {
    const { lr, momentum, nesterov, weightDecay } = group;
    const decayed = weightDecay === 0 ? grads : foreachAdd(grads, params, weightDecay);
    if (momentum === 0) {
      foreachAdd_(params, decayed, -lr);
      return;
    }
    const buffers = updateMomentum(group, states, decayed);
    foreachAdd_(params, nesterov ? foreachAdd(decayed, buffers, momentum) : buffers, -lr);
  }
}

/** Folds the gradients into the momentum buffers; a parameter's first gradient enters whole, without dampening. */
function updateMomentum(group: ParamGroup<SGDOptions>, states: ParameterState[], grads: Tensor[]): Tensor[] {
  const buffers = stateTensors(states, 'momentum_buffer');
  foreachMul_(buffers, group.momentum);
  const isFirst = (_: Tensor, index: number) => states[index]!.step === 1;
  const isLater = (_: Tensor, index: number) => states[index]!.step > 1;
  addWhere(isFirst, 1);
  addWhere(isLater, 1 - group.dampening);
  return buffers;

  function addWhere(chosen: (tensor: Tensor, index: number) => boolean, alpha: number): void {
    const targets = buffers.filter(chosen);
    if (targets.length > 0) {
      foreachAdd_(targets, grads.filter(chosen), alpha);
    }
  }
}
