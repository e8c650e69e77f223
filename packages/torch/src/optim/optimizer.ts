import { noGrad } from '../autograd.js';
import { TorchError } from '../errors.js';
import { Parameter } from '../nn/parameter.js';
import { keep, scope } from '../scope.js';
import type { Tensor } from '../tensor.js';

/** Options every optimiser has. */
export interface CommonOptions {
  /** Learning rate. */
  lr: number;
  /** Weight decay (its meaning is the optimiser's). */
  weightDecay: number;
  /** The learning rate that schedules start from; the first schedule sets it. */
  initialLr?: number;
}

/** Parameters trained with the same settings. The settings may be changed between steps. */
export type ParamGroup<Options> = Options & { params: Parameter[] };

/** What a constructor takes: parameters, or groups of them with settings of their own. */
export type ParamsOrGroups<Options> = Iterable<Parameter> | Iterable<GroupInput<Options>>;

type GroupInput<Options> = Partial<Options> & { params: Iterable<Parameter> };

/** State in a form that can be saved: tensors by name, and plain values. */
export interface OptimizerState {
  /** Keys `<index>.<name>`, index = place of the parameter over all groups, in order. Shares memory with the optimiser. */
  tensors: Map<string, Tensor>;
  /** JSON-able: settings of the groups, with parameters as indices, and the number of steps of each parameter. */
  values: { paramGroups: Record<string, unknown>[]; steps: Record<string, number> };
}

/** What an optimiser remembers about one parameter. */
export interface ParameterState {
  /** Number of updates this parameter has had. */
  step: number;
  tensors: Record<string, Tensor>;
}

/** The parameters of a group that have a gradient, with what an update needs, as parallel lists. */
export interface Update<Options> {
  group: ParamGroup<Options>;
  params: Parameter[];
  grads: Tensor[];
  states: ParameterState[];
}

/** What all optimisers share: parameter groups, the loop over them, and saving. */
export abstract class Optimizer<Options extends CommonOptions = CommonOptions> {
  readonly paramGroups: ParamGroup<Options>[] = [];
  readonly #defaults: Options;
  readonly #states = new Map<Parameter, ParameterState>();

  /** @throws TorchError `argument` if there is no parameter, one appears twice, or a setting is out of its range */
  constructor(params: ParamsOrGroups<Options>, defaults: Options) {
    this.#defaults = defaults;
    const items: (Parameter | GroupInput<Options>)[] = [...params];
    const single = items.filter(isParameter);
    const groups = items.filter((item): item is GroupInput<Options> => !isParameter(item));
    if (items.length === 0) {
      throw wrongParameters(`${this.constructor.name} was given no parameter`);
    }
    if (single.length > 0) {
      this.#addGroup({ ...defaults, params: single });
    }
    for (const group of groups) {
      this.addParamGroup(group);
    }
  }

  /**
   * Trains further parameters, with settings of their own or the optimiser's.
   *
   * @throws TorchError `argument` if the group is empty, a parameter is trained already, or a setting is out of its range
   */
  addParamGroup(group: GroupInput<Options>): void {
    this.#addGroup({ ...this.#defaults, ...group, params: [...group.params] });
  }

  /** Updates every parameter that has a gradient. */
  step(): void {
    scope(() =>
      noGrad(() => {
        for (const group of this.paramGroups) {
          const update = this.#collect(group);
          if (update.params.length > 0) {
            this.update(update);
          }
        }
      }),
    );
  }

  /** Drops the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.#parameters()) {
      parameter.grad = null;
    }
  }

  /** The state as of now; `clone()` tensors that must not change with further steps. */
  stateDict(): OptimizerState {
    const parameters = this.#parameters();
    const indexOf = new Map(parameters.map((parameter, index) => [parameter, index]));
    const tensors = new Map<string, Tensor>();
    const steps: Record<string, number> = {};
    for (const [index, parameter] of parameters.entries()) {
      const state = this.#states.get(parameter);
      if (state) {
        steps[index] = state.step;
        for (const [name, tensor] of Object.entries(state.tensors)) {
          tensors.set(`${index}.${name}`, tensor.detach());
        }
      }
    }
    const paramGroups = this.paramGroups.map(({ params, ...options }) => ({
      ...options,
      params: params.map((parameter) => indexOf.get(parameter)!),
    }));
    return { tensors, values: { paramGroups, steps } };
  }

  /**
   * Restores a state saved from an optimiser of the same kind over the same parameters, settings included.
   *
   * @throws TorchError `argument` if groups, parameters or shapes differ
   */
  loadStateDict({ tensors, values }: OptimizerState): void {
    const parameters = this.#parameters();
    this.#assertFits(tensors, values);
    for (const [index, group] of this.paramGroups.entries()) {
      const { params: _, ...options } = values.paramGroups[index]!;
      Object.assign(group, options);
    }
    this.#disposeStates();
    for (const [index, step] of Object.entries(values.steps)) {
      this.#states.set(parameters[Number(index)]!, { step, tensors: {} });
    }
    for (const [key, tensor] of tensors) {
      const [index, name] = splitKey(key);
      const parameter = parameters[index]!;
      const copy = scope(() => keep(tensor.detach().to({ device: parameter.device }).clone()));
      this.#states.get(parameter)!.tensors[name] = copy;
    }
  }

  /** Frees the state. The parameters are not touched. */
  dispose(): void {
    this.#disposeStates();
  }

  /** Applies one update to the listed parameters. Runs without gradients, in a scope. */
  protected abstract update(update: Update<Options>): void;

  /** The state of a parameter before its first step; its tensors are kept until the optimiser is disposed of. */
  protected abstract initialTensors(parameter: Parameter, group: ParamGroup<Options>): Record<string, Tensor>;

  /** @throws TorchError `argument` if a setting that is this optimiser's own is out of its range */
  protected assertSettings(_group: ParamGroup<Options>): void {}

  #collect(group: ParamGroup<Options>): Update<Options> {
    const update: Update<Options> = { group, params: [], grads: [], states: [] };
    for (const parameter of group.params) {
      const grad = parameter.grad;
      if (grad) {
        update.params.push(parameter);
        update.grads.push(grad);
        update.states.push(this.#stateOf(parameter, group));
      }
    }
    return update;
  }

  #stateOf(parameter: Parameter, group: ParamGroup<Options>): ParameterState {
    let state = this.#states.get(parameter);
    if (!state) {
      const tensors = this.initialTensors(parameter, group);
      Object.values(tensors).forEach(keep);
      state = { step: 0, tensors };
      this.#states.set(parameter, state);
    }
    state.step += 1;
    return state;
  }

  #addGroup(group: ParamGroup<Options>): void {
    if (group.params.length === 0) {
      throw wrongParameters(`${this.constructor.name} was given a group without parameters`);
    }
    const all = [...this.#parameters(), ...group.params];
    if (new Set(all).size !== all.length) {
      throw wrongParameters(`${this.constructor.name} was given a parameter more than once`);
    }
    assertNotNegative(this.constructor.name, { lr: group.lr, weightDecay: group.weightDecay });
    this.assertSettings(group);
    this.paramGroups.push(group);
  }

  #parameters(): Parameter[] {
    return this.paramGroups.flatMap((group) => group.params);
  }

  #assertFits(tensors: OptimizerState['tensors'], values: OptimizerState['values']): void {
    const parameters = this.#parameters();
    const here = this.paramGroups.map((group) => group.params.length);
    const saved = values.paramGroups.map(({ params }) => (Array.isArray(params) ? params.length : 0));
    if (here.join() !== saved.join()) {
      throw mismatch(`groups of ${saved.join(', ')} parameters in the state, of ${here.join(', ')} here`);
    }
    for (const [key, tensor] of tensors) {
      const [index] = splitKey(key);
      const shape = parameters[index]?.shape;
      if (!shape || values.steps[index] === undefined || shape.join() !== tensor.shape.join()) {
        throw mismatch(`'${key}' of shape [${tensor.shape}] does not fit a parameter of shape [${shape ?? 'none'}]`);
      }
    }
    for (const [groupIndex, group] of this.paramGroups.entries()) {
      const { params: _, ...settings } = values.paramGroups[groupIndex]!;
      this.#assertComplete({ ...group, ...settings, params: group.params }, tensors, values);
    }
  }

  /** Every parameter that has been updated needs the tensors that this optimiser remembers, under these settings. */
  #assertComplete(
    group: ParamGroup<Options>,
    tensors: OptimizerState['tensors'],
    values: OptimizerState['values'],
  ): void {
    const parameters = this.#parameters();
    for (const parameter of group.params) {
      const index = parameters.indexOf(parameter);
      const names = scope(() => Object.keys(this.initialTensors(parameter, group)));
      const missing = names.find((name) => values.steps[index] !== undefined && !tensors.has(`${index}.${name}`));
      if (missing !== undefined) {
        throw mismatch(`'${index}.${missing}', which ${this.constructor.name} needs, is missing`);
      }
    }
  }

  #disposeStates(): void {
    for (const state of this.#states.values()) {
      Object.values(state.tensors).forEach((tensor) => {
        tensor.dispose();
      });
    }
    this.#states.clear();
  }
}

/** One tensor of the state of every parameter in an update. */
export function stateTensors(states: readonly ParameterState[], name: string): Tensor[] {
  return states.map((state) => state.tensors[name]!);
}

function isParameter(item: unknown): item is Parameter {
  return item instanceof Parameter;
}

function splitKey(key: string): [index: number, name: string] {
  const dot = key.indexOf('.');
  return [Number(key.slice(0, dot)), key.slice(dot + 1)];
}

/** @throws TorchError `argument` naming the setting that is negative or no number */
export function assertNotNegative(optimizer: string, settings: Record<string, number>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (!(value >= 0)) {
      throw new TorchError(`${optimizer}: ${name} must be a number of 0 or more, not ${value}`, { code: 'argument' });
    }
  }
}

function wrongParameters(message: string): TorchError {
  return new TorchError(message, {
    code: 'argument',
    hint: 'pass module.parameters(), each parameter in one group',
  });
}

function mismatch(message: string): TorchError {
  return new TorchError(`optimiser state does not fit: ${message}`, {
    code: 'argument',
    hint: 'load it into an optimiser made with the same parameters in the same groups',
  });
}
