import { enableGrad, grad, noGrad } from './autograd.js';
import { TorchError } from './errors.js';
import { zerosLike } from './generated/operators.js';
import { scope } from './scope.js';
import type { Tensor } from './tensor.js';

export interface GradcheckOptions {
  /** Step of the finite differences. Default 1e-6. */
  eps?: number;
  /** Allowed absolute error. Default 1e-5. */
  atol?: number;
  /** Allowed relative error. Default 1e-3. */
  rtol?: number;
}

/** A differentiable function of tensors. */
export type Differentiable = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/**
 * Compares the gradients of a function with central differences: every output element by every element of the inputs
 * that require a gradient.
 *
 * @param inputs float64, at points where the function is smooth; at least one requires a gradient
 * @throws TorchError `anomaly` that names the first derivative which is wrong
 */
export function gradcheck(f: Differentiable, inputs: readonly Tensor[], options: GradcheckOptions = {}): void {
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3 } = options;
  const checked = [...inputs.keys()].filter((i) => inputs[i]!.requiresGrad);
  refuseUnfit(inputs, checked);
  scope(() => {
    const numeric = checked.map((i) => numericJacobians(f, inputs, i, eps));
    const outputs = outputsOf(enableGrad(() => f(...inputs)));
    for (const [o, output] of outputs.entries()) {
      if (!output.requiresGrad) continue;
      for (let e = 0; e < output.numel; e++) {
        const rows = analyticRows(
          output,
          e,
          checked.map((i) => inputs[i]!),
        );
        for (const [k, row] of rows.entries()) {
          for (const [j, slope] of row.entries()) {
            const expected = numeric[k]![o]![j]![e]!;
            if (Math.abs(slope - expected) <= atol + rtol * Math.abs(expected)) continue;
            throw new TorchError(
              `output ${o}[${e}] by input ${checked[k]}[${j}]: the gradient is ${slope}, finite differences give ${expected}`,
              { code: 'anomaly', hint: 'the backward pass is wrong, or the function is not smooth at this point' },
            );
          }
        }
      }
    }
  });
}

/**
 * {@link gradcheck} of the gradient: compares second derivatives with differences of the first ones. The function is
 * weighted by fixed numbers, so that all output elements count.
 */
export function gradgradcheck(f: Differentiable, inputs: readonly Tensor[], options: GradcheckOptions = {}): void {
  const checked = inputs.filter((input) => input.requiresGrad);
  const gradients: Differentiable = (...points) => {
    const outputs = outputsOf(f(...points)).filter((output) => output.requiresGrad);
    const gradOutputs = outputs.map((output, o) => zerosLike(output).add(1 + 0.3 * o));
    const differentiated = points.filter((_, i) => inputs[i]!.requiresGrad);
    return grad(outputs, differentiated, { gradOutputs, createGraph: true, allowUnused: true }).map(
      (gradient, i) => gradient ?? zerosLike(checked[i]!),
    );
  };
  gradcheck(gradients, inputs, options);
}

function refuseUnfit(inputs: readonly Tensor[], checked: readonly number[]): void {
  if (checked.length === 0) {
    throw new TorchError('gradcheck: no input requires a gradient', { code: 'argument' });
  }
  const unfit = checked.find((i) => inputs[i]!.dtype !== 'float64');
  if (unfit === undefined) return;
  throw new TorchError(`gradcheck: input ${unfit} is ${inputs[unfit]!.dtype}`, {
    code: 'argument',
    hint: 'finite differences need float64',
  });
}

const outputsOf = (result: Tensor | readonly Tensor[]): readonly Tensor[] =>
  (Array.isArray(result) ? result : [result]) as readonly Tensor[];

/** [output][element of input][element of output]. */
function numericJacobians(f: Differentiable, inputs: readonly Tensor[], index: number, eps: number): number[][][] {
  const input = inputs[index]!;
  const valuesAt = (element: number, delta: number): number[][] =>
    scope(() => {
      const moved = input.detach().clone();
      moved.view([-1]).narrow(0, element, 1).add_(delta);
      moved.requiresGrad_();
      const result = f(...inputs.map((other, i) => (i === index ? moved : other)));
      return outputsOf(result).map((output) => [...output.detach().data()].map(Number));
    });
  const jacobians: number[][][] = [];
  for (let element = 0; element < input.numel; element++) {
    const above = valuesAt(element, eps);
    const below = valuesAt(element, -eps);
    for (const [o, values] of above.entries()) {
      jacobians[o] ??= [];
      jacobians[o].push(values.map((value, e) => (value - below[o]![e]!) / (2 * eps)));
    }
  }
  return jacobians;
}

/** The gradient of one element of an output, for each input a flat list. */
function analyticRows(output: Tensor, element: number, inputs: readonly Tensor[]): number[][] {
  return scope(() => {
    const oneHot = noGrad(() => zerosLike(output).contiguous());
    oneHot.view([-1]).narrow(0, element, 1).fill_(1);
    const gradients = grad([output], inputs, { gradOutputs: [oneHot], retainGraph: true, allowUnused: true });
    return gradients.map((gradient, i) =>
      gradient === null ? new Array<number>(inputs[i]!.numel).fill(0) : [...gradient.data()].map(Number),
    );
  });
}
