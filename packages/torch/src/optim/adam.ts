import { TorchError } from '../errors.js';
import { zerosLike } from '../generated/operators.js';
import type { Parameter } from '../nn/parameter.js';
import type { Tensor } from '../tensor.js';
import {
  foreachAdd,
  foreachAdd_,
  foreachAddcdiv_,
  foreachAddcmul_,
  foreachAddScalar_,
  foreachDiv_,
  foreachMaximum_,
  foreachMul_,
  foreachSqrt,
} from './foreach.js';
import {
  assertNotNegative,
  type CommonOptions,
  Optimizer,
  type ParameterState,
  type ParamGroup,
  type ParamsOrGroups,
  stateTensors,
  type Update,
} from './optimizer.js';

/** Settings of {@link Adam}. */
export interface AdamOptions extends CommonOptions {
  /** Decay rates of the running averages of the gradient and of its square. */
  betas: readonly [number, number];
  /** Added to the denominator. */
  eps: number;
  /** Divide by the greatest average of squares so far, not by the present one (Reddi et al., ICLR 2018). */
  amsgrad: boolean;
}

/** What Adam and AdamW share; they differ in how weight decay enters. */
abstract class AdamBase extends Optimizer<AdamOptions> {
  protected override initialTensors(
    parameter: Parameter,
    { amsgrad }: ParamGroup<AdamOptions>,
  ): Record<string, Tensor> {
    const averages = { exp_avg: zerosLike(parameter), exp_avg_sq: zerosLike(parameter) };
    return amsgrad ? { ...averages, max_exp_avg_sq: zerosLike(parameter) } : averages;
  }

  protected override assertSettings({ betas, eps }: ParamGroup<AdamOptions>): void {
    assertNotNegative(this.constructor.name, { eps });
    if (!betas.every((beta) => beta >= 0 && beta < 1)) {
      throw new TorchError(`${this.constructor.name}: betas must lie in [0, 1), not [${betas}]`, { code: 'argument' });
    }
  }

  protected adamStep({ group, params, states }: Update<AdamOptions>, grads: Tensor[]): void {
    const { lr, eps } = group;
    const [beta1, beta2] = group.betas;
    const averages = stateTensors(states, 'exp_avg');
    const squareAverages = stateTensors(states, 'exp_avg_sq');

    foreachMul_(averages, beta1);
    foreachAdd_(averages, grads, 1 - beta1);
    foreachMul_(squareAverages, beta2);
    foreachAddcmul_(squareAverages, grads, grads, 1 - beta2);

    const stepSizes = states.map(({ step }) => -lr / (1 - beta1 ** step));
    const corrections = states.map(({ step }) => Math.sqrt(1 - beta2 ** step));
    const denominators = foreachSqrt(group.amsgrad ? greatestSoFar(states, squareAverages) : squareAverages);
    foreachDiv_(denominators, corrections);
    foreachAddScalar_(denominators, eps);
    foreachAddcdiv_(params, averages, denominators, stepSizes);
  }
}

function greatestSoFar(states: readonly ParameterState[], squareAverages: Tensor[]): Tensor[] {
  const greatest = stateTensors(states, 'max_exp_avg_sq');
  foreachMaximum_(greatest, squareAverages);
  return greatest;
}

/**
 * Adam (Kingma and Ba, ICLR 2015), PyTorch's arithmetic. Weight decay is added to the gradient (L2 regularisation).
 */
export class Adam extends AdamBase {
  /** Defaults: lr 1e-3, betas [0.9, 0.999], eps 1e-8, weightDecay 0, amsgrad false. */
  constructor(params: ParamsOrGroups<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false, ...options });
  }

  protected override update(update: Update<AdamOptions>): void {
    const { group, params, grads } = update;
    this.adamStep(update, group.weightDecay === 0 ? grads : foreachAdd(grads, params, group.weightDecay));
  }
}

/**
 * AdamW (Loshchilov and Hutter, ICLR 2019), PyTorch's arithmetic: the weights shrink by lr * weightDecay each step,
 * apart from the gradient.
 */
export class AdamW extends AdamBase {
  /** Defaults: lr 1e-3, betas [0.9, 0.999], eps 1e-8, weightDecay 0.01, amsgrad false. */
  constructor(params: ParamsOrGroups<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01, amsgrad: false, ...options });
  }

  protected override update(update: Update<AdamOptions>): void {
    const { group, params, grads } = update;
    foreachMul_(params, 1 - group.lr * group.weightDecay);
    this.adamStep(update, grads);
  }
}
