import { noGrad } from '../autograd.js';
import { full, zeros } from '../creation.js';
import { TorchError } from '../errors.js';
import { stack } from '../generated/operators.js';
import { Operator } from '../operator.js';
import { scope } from '../scope.js';
import type { Device, Tensor } from '../tensor.js';

export interface GradScalerOptions {
  /** The first scale. Default 65536. */
  initScale?: number;
  /** What the scale is multiplied by after `growthInterval` steps without overflow. Default 2. */
  growthFactor?: number;
  /** What the scale is multiplied by after an overflow. Default 0.5. */
  backoffFactor?: number;
  /** Default 2000. */
  growthInterval?: number;
  /** False makes all methods do what they would without a scaler. Default true. */
  enabled?: boolean;
}

/** What can be saved and put back; JSON-able. */
export interface GradScalerState {
  scale: number;
  growthFactor: number;
  backoffFactor: number;
  growthInterval: number;
  /** Steps without overflow since the scale last changed. */
  growthTracker: number;
}

/** What a scaler needs of an optimiser. */
export interface ScaledOptimizer {
  readonly paramGroups: readonly { readonly params: readonly Tensor[] }[];
  step(): void;
}

const UNSCALE = new Operator<void>('aten::_amp_foreach_non_finite_check_and_unscale_');
const FOREACH_NORM = new Operator<Tensor[]>('aten::_foreach_norm', 'Scalar');
const FOREACH_MUL_ = new Operator<void>('aten::_foreach_mul_', 'Scalar');

/**
 * Scales losses up, so that small gradients do not vanish in float16, and finds the largest scale that does not
 * overflow. PyTorch's `GradScaler`:
 *
 *     scaler.scale(loss).backward();
 *     scaler.step(optimizer);        // skipped when a gradient is infinite or NaN
 *     scaler.update();
 */
export class GradScaler {
  readonly enabled: boolean;
  #state: GradScalerState;
  /** Of this round: whether the gradients overflowed, for each optimiser whose gradients are unscaled. */
  readonly #overflowed = new Map<ScaledOptimizer, boolean>();
  readonly #stepped = new Set<ScaledOptimizer>();

  constructor({
    initScale = 65536,
    growthFactor = 2,
    backoffFactor = 0.5,
    growthInterval = 2000,
    enabled = true,
  }: GradScalerOptions = {}) {
    if (!(growthFactor > 1) || !(backoffFactor > 0 && backoffFactor < 1) || !(initScale > 0)) {
      throw new TorchError('GradScaler: the scale must be > 0, growthFactor > 1 and backoffFactor between 0 and 1', {
        code: 'argument',
      });
    }
    this.enabled = enabled;
    this.#state = { scale: initScale, growthFactor, backoffFactor, growthInterval, growthTracker: 0 };
  }

  /** The loss times the scale, at least float32. */
  scale(loss: Tensor): Tensor {
    if (!this.enabled) return loss;
    const isHalf = loss.dtype === 'float16' || loss.dtype === 'bfloat16';
    return scope(() => (isHalf ? loss.to({ dtype: 'float32' }) : loss).mul(this.#state.scale));
  }

  /**
   * Divides an optimiser's gradients by the scale, in place, for instance to clip them before {@link step}.
   *
   * @throws TorchError `argument` the second time before {@link update}, for float16 gradients, or when there are none
   */
  unscale_(optimizer: ScaledOptimizer): void {
    if (!this.enabled) return;
    if (this.#overflowed.has(optimizer)) {
      throw new TorchError('the gradients of this optimiser have been unscaled since the last update()', {
        code: 'argument',
        hint: 'call unscale_() once, before step(), and update() at the end of every step',
      });
    }
    this.#overflowed.set(
      optimizer,
      scope(() => noGrad(() => unscale(gradientsOf(optimizer), 1 / this.#state.scale))),
    );
  }

  /** Unscales the gradients unless that is done, and lets the optimiser step if all are finite. Whether it stepped. */
  step(optimizer: ScaledOptimizer): boolean {
    if (this.#stepped.has(optimizer)) {
      throw new TorchError('this optimiser has stepped since the last update()', {
        code: 'argument',
        hint: 'call update() at the end of every step',
      });
    }
    if (this.enabled && !this.#overflowed.has(optimizer)) this.unscale_(optimizer);
    const steps = !this.#overflowed.get(optimizer);
    if (steps) optimizer.step();
    if (this.enabled) this.#stepped.add(optimizer);
    return steps;
  }

  /**
   * Ends a round: a smaller scale after an overflow, a greater one after `growthInterval` rounds without.
   *
   * @param newScale sets the scale instead
   */
  update(newScale?: number): void {
    if (!this.enabled) return;
    const state = this.#state;
    if (newScale !== undefined) {
      state.scale = newScale;
    } else if (this.#overflowed.size === 0) {
      throw new TorchError('update() without a step', { code: 'argument', hint: 'call step(optimizer) first' });
    } else if ([...this.#overflowed.values()].includes(true)) {
      state.scale = Math.fround(state.scale * state.backoffFactor);
      state.growthTracker = 0;
    } else {
      state.growthTracker += 1;
      if (state.growthTracker === state.growthInterval) {
        const grown = Math.fround(state.scale * state.growthFactor);
        if (Number.isFinite(grown)) state.scale = grown;
        state.growthTracker = 0;
      }
    }
    this.#overflowed.clear();
    this.#stepped.clear();
  }

  /** The scale of now; 1 when not enabled. */
  getScale(): number {
    return this.enabled ? this.#state.scale : 1;
  }

  stateDict(): GradScalerState {
    return { ...this.#state };
  }

  loadStateDict(state: GradScalerState): void {
    this.#state = { ...state };
  }
}

function gradientsOf(optimizer: ScaledOptimizer): Map<Device, Tensor[]> {
  const byDevice = new Map<Device, Tensor[]>();
  for (const parameter of optimizer.paramGroups.flatMap(({ params }) => params)) {
    const gradient = parameter.grad;
    if (gradient === null) continue;
    if (gradient.dtype === 'float16') {
      throw new TorchError('float16 gradients cannot be unscaled', {
        code: 'argument',
        hint: 'keep the parameters in float32, and run the forward pass under autocast()',
      });
    }
    const device = gradient.device;
    byDevice.set(device, [...(byDevice.get(device) ?? []), gradient]);
  }
  if (byDevice.size === 0) {
    throw new TorchError('no parameter of this optimiser has a gradient', {
      code: 'argument',
      hint: 'call scaler.scale(loss).backward() first',
    });
  }
  return byDevice;
}

/** Multiplies in place; whether any element was infinite or NaN. */
function unscale(byDevice: ReadonlyMap<Device, Tensor[]>, factor: number): boolean {
  let overflowed = false;
  for (const [device, gradients] of byDevice) {
    const found = device === 'cpu' ? unscaleOnCpu(gradients, factor) : unscaleFused(device, gradients, factor);
    overflowed ||= found.item() !== 0;
  }
  return overflowed;
}

/** One kernel for all gradients of a dtype. Not for the CPU, where libtorch has it only from 2.3. */
function unscaleFused(device: Device, gradients: readonly Tensor[], factor: number): Tensor {
  const found = zeros([], { device });
  const inverse = full([], factor, { device });
  for (const dtype of new Set(gradients.map((gradient) => gradient.dtype))) {
    UNSCALE.call(
      gradients.filter((gradient) => gradient.dtype === dtype),
      found,
      inverse,
    );
  }
  return found;
}

function unscaleOnCpu(gradients: readonly Tensor[], factor: number): Tensor {
  // The greatest absolute value is finite only if all elements are.
  const greatest = FOREACH_NORM.call(gradients, Number.POSITIVE_INFINITY).map((norm) => norm.to({ dtype: 'float64' }));
  FOREACH_MUL_.call(gradients, factor);
  return stack(greatest).isfinite().all().logicalNot();
}
