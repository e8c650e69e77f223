import { stack, where } from '../generated/operators.js';
import type { Tensor } from '../tensor.js';
import { foreachAdd, foreachAdd_, foreachMul, foreachNorm } from './foreach.js';
import { updateMomentum } from './momentum.js';
import {
  assertNotNegative,
  type CommonOptions,
  Optimizer,
  type ParamGroup,
  type ParamsOrGroups,
  type Update,
} from './optimizer.js';

/** Settings of {@link LARS}. */
export interface LARSOptions extends CommonOptions {
  /** Share of the previous update that is kept. */
  momentum: number;
  /** Length of an update, before lr, as a share of the length of the weights (the paper's eta). */
  trustCoefficient: number;
  /** Give biases and gains (parameters of fewer than 2 dimensions) neither weight decay nor an adapted rate. */
  excludeVectors: boolean;
}

/**
 * SGD with momentum whose rate is adapted to every layer: lr * eta * ||w|| / ||g + weightDecay * w|| (You et al., "Large
 * Batch Training of Convolutional Networks", 2017), in the form that self-supervised learning uses (SimCLR, BYOL, Barlow
 * Twins): the decay counts in the norm of the update, the rate enters after the momentum, and biases and gains of
 * normalisation layers are left out.
 */
export class LARS extends Optimizer<LARSOptions> {
  /** Defaults: lr 1e-3, momentum 0.9, weightDecay 0, trustCoefficient 0.001, excludeVectors true. */
  constructor(params: ParamsOrGroups<LARSOptions>, options: Partial<LARSOptions> = {}) {
    const defaults = { lr: 1e-3, momentum: 0.9, weightDecay: 0, trustCoefficient: 0.001, excludeVectors: true };
    super(params, { ...defaults, ...options });
  }

  protected override initialTensors(): Record<string, Tensor> {
    return {};
  }

  protected override assertSettings({ momentum, trustCoefficient }: ParamGroup<LARSOptions>): void {
    assertNotNegative('LARS', { momentum, trustCoefficient });
  }

  protected override update(update: Update<LARSOptions>): void {
    const { lr, weightDecay, trustCoefficient, excludeVectors } = update.group;
    const isAdapted = update.params.map(({ ndim }) => ndim > 1 || !excludeVectors);
    const adapted = choose(update, isAdapted);
    if (adapted.params.length > 0) {
      const decayed = foreachAdd(adapted.grads, adapted.params, weightDecay);
      const scaled = foreachMul(decayed, trustRatios(adapted.params, decayed, trustCoefficient));
      foreachAdd_(adapted.params, updateMomentum(update.group, adapted.states, scaled), -lr);
    }
    const plain = choose(
      update,
      isAdapted.map((chosen) => !chosen),
    );
    if (plain.params.length > 0) {
      foreachAdd_(plain.params, updateMomentum(update.group, plain.states, plain.grads), -lr);
    }
  }
}

/** eta * ||w|| / ||update|| of each parameter; 1 where one of the norms is 0. */
function trustRatios(params: readonly Tensor[], updates: readonly Tensor[], coefficient: number): Tensor[] {
  const weightNorms = stack(foreachNorm(params));
  const updateNorms = stack(foreachNorm(updates));
  const usable = weightNorms.gt(0).logicalAnd(updateNorms.gt(0));
  return where(usable, weightNorms.div(updateNorms).mul(coefficient), 1).unbind();
}

function choose(
  { group, params, grads, states }: Update<LARSOptions>,
  chosen: readonly boolean[],
): Update<LARSOptions> {
  const isChosen = (_: unknown, index: number) => chosen[index]!;
  return { group, params: params.filter(isChosen), grads: grads.filter(isChosen), states: states.filter(isChosen) };
}
