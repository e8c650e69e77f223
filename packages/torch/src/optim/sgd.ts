import { TorchError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { foreachAdd, foreachAdd_ } from './foreach.js';
import { updateMomentum } from './momentum.js';
import {
  assertNotNegative,
  type CommonOptions,
  Optimizer,
  type ParamGroup,
  type ParamsOrGroups,
  type Update,
} from './optimizer.js';

/** Settings of {@link SGD}. */
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

  protected override initialTensors(): Record<string, Tensor> {
    return {};
  }

  protected override assertSettings({ momentum, dampening, nesterov }: ParamGroup<SGDOptions>): void {
    assertNotNegative('SGD', { momentum });
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new TorchError('SGD: nesterov needs a momentum, and no dampening', { code: 'argument' });
    }
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
