import { noGrad } from './autograd.js';
import { hold } from './callbacks.js';
import { TorchError } from './errors.js';
import { native } from './native.js';
import { recordingObserver } from './operator.js';
import { scope, TensorHandle } from './scope.js';
import { Tensor } from './tensor.js';

/** What the forward pass of a custom function leaves for its backward pass. */
export interface FunctionContext {
  /**
   * Keeps inputs, outputs or intermediate results for the backward pass. Only what is saved this way outlives the
   * forward pass, and only for this is it checked that no in-place operator changes it meanwhile. Call it once, in
   * forward.
   */
  saveForBackward(...tensors: Tensor[]): void;
  /** In backward: the saved tensors. */
  readonly savedTensors: readonly Tensor[];
  /** For each argument, whether its gradient is asked for; false for what is no tensor. */
  readonly needsInputGrad: readonly boolean[];
  /** Declares outputs that have no gradient. Outputs of integers and booleans never have one. Call it in forward. */
  markNonDifferentiable(...outputs: Tensor[]): void;
}

/** One gradient for each argument of forward, in order; null for what has none. Alone for a function of one argument. */
export type InputGradients = Tensor | null | readonly (Tensor | null)[];

export interface FunctionDefinition<Inputs extends readonly unknown[], Outputs extends Tensor | readonly Tensor[]> {
  /** For error messages. */
  name: string;
  /** Computes the outputs. Runs without recording. It must not change its inputs in place. */
  forward(context: FunctionContext, ...inputs: Inputs): Outputs;
  /**
   * Turns the gradients of the outputs (zeros for unused ones) into those of the inputs. With `createGraph` what it
   * does is recorded, so a backward made of differentiable operators has derivatives of its own.
   */
  backward(context: FunctionContext, ...gradients: Tensor[]): InputGradients;
}

/**
 * A differentiable function with a backward pass of its own: PyTorch's `torch.autograd.Function`. Check it with
 * {@link gradcheck}.
 *
 *     const exp = autogradFunction({
 *       name: 'Exp',
 *       forward(context, x: Tensor) {
 *         const y = x.exp();
 *         context.saveForBackward(y);
 *         return y;
 *       },
 *       backward: (context, gradient) => gradient.mul(context.savedTensors[0]!),
 *     });
 *     exp(x).sum().backward();
 *
 * Arguments of forward that are tensors, not lists of them, take part in the graph.
 *
 * @throws TorchError `argument` from the backward pass when backward gives a wrong number of gradients; what backward
 *   itself throws arrives unchanged
 */
export function autogradFunction<Inputs extends readonly unknown[], Outputs extends Tensor | readonly Tensor[]>(
  definition: FunctionDefinition<Inputs, Outputs>,
): (...inputs: Inputs) => Outputs {
  return (...inputs) =>
    scope(() => {
      const isTensor = inputs.map((input) => input instanceof Tensor);
      const context = new Context(inputs.map((input) => input instanceof Tensor && input.requiresGrad));
      const result = noGrad(() => definition.forward(context, ...inputs));
      const outputs: readonly Tensor[] = result instanceof Tensor ? [result] : result;
      const { saved, nonDifferentiable } = context.finishForward();
      const observing = recordingObserver();
      const token = observing?.before();
      const recorded = hold(
        (tensors) => {
          const gradients = tensors.slice(0, outputs.length) as Tensor[];
          context.savedTensors = tensors.slice(outputs.length) as Tensor[];
          return gradientsOfTensors(definition, definition.backward(context, ...gradients), isTensor);
        },
        (id) => native().record(handlesOf(inputs), handlesOf(outputs), nonDifferentiable, saved, id),
      ).map((handle) => new Tensor(handle!));
      observing?.after(definition.name, recorded, token!);
      return (result instanceof Tensor ? recorded[0] : recorded) as Outputs;
    });
}

class Context implements FunctionContext {
  readonly needsInputGrad: readonly boolean[];
  savedTensors: readonly Tensor[] = [];
  #nonDifferentiable: readonly Tensor[] = [];

  constructor(needsInputGrad: readonly boolean[]) {
    this.needsInputGrad = needsInputGrad;
  }

  saveForBackward(...tensors: Tensor[]): void {
    this.savedTensors = tensors;
  }

  markNonDifferentiable(...outputs: Tensor[]): void {
    this.#nonDifferentiable = outputs;
  }

  /** From here on libtorch holds the tensors. */
  finishForward(): { saved: number[]; nonDifferentiable: number[] } {
    const handles = { saved: handlesOf(this.savedTensors), nonDifferentiable: handlesOf(this.#nonDifferentiable) };
    this.savedTensors = [];
    this.#nonDifferentiable = [];
    return handles;
  }
}

function handlesOf(values: readonly unknown[]): number[] {
  return values.filter((value) => value instanceof Tensor).map((tensor) => TensorHandle.of(tensor));
}

function gradientsOfTensors(
  { name }: { name: string },
  returned: InputGradients,
  isTensor: readonly boolean[],
): (Tensor | null)[] {
  const gradients = returned === null || returned instanceof Tensor ? [returned] : returned;
  if (gradients.length !== isTensor.length) {
    throw new TorchError(`${name}: backward gave ${gradients.length} gradients for ${isTensor.length} arguments`, {
      code: 'argument',
      hint: 'return one gradient for each argument of forward, null for those without',
    });
  }
  return gradients.filter((_, i) => isTensor[i]);
}
