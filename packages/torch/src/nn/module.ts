import { noGrad } from '../autograd.js';
import { TorchError } from '../errors.js';
import { native } from '../native.js';
import { op } from '../operator.js';
import { keep, scope, TensorHandle } from '../scope.js';
import type { Device, DType, Tensor } from '../tensor.js';
import { nameLayer } from './layer-errors.js';
import { Parameter } from './parameter.js';

/** Names (PyTorch's keys) to tensors. */
export type StateDict = Map<string, Tensor>;

/** What `loadStateDict` did not find on one side or the other. */
export interface LoadReport {
  /** Keys the module has and the state dict lacks. */
  missing: string[];
  /** Keys the state dict has and the module lacks. */
  unexpected: string[];
}

const setData = op('aten::set_data');

/** PyTorch names attributes in snake case; `runningMean` is `running_mean` there, `conv1` is the same in both. */
function pytorchName(property: string): string {
  return property.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * Base class of all layers and networks.
 *
 * Parameters and submodules register by being properties of the object, in the order they were assigned; the
 * property's name in snake case is the key PyTorch would use. `#private` fields are never registered. Other tensors
 * that belong to a module (running statistics, fixed masks) are registered with {@link registerBuffer}.
 *
 * Use {@link call}, not `forward`: it frees the intermediate tensors of the forward pass.
 */
export abstract class Module {
  /** Whether layers behave as in training (dropout active, batch statistics in use). Set with {@link train}. */
  training = true;

  readonly #buffers = new Map<string, Tensor>();
  readonly #unsavedBuffers = new Set<string>();

  /** The computation of this module. Called through {@link call}. */
  abstract forward(...inputs: never[]): unknown;

  /**
   * Runs `forward` in a scope of its own: of the tensors it makes, only those it returns stay alive.
   *
   * @throws TorchError of the operator that failed; its message names the layer
   */
  call<Inputs extends unknown[], Output>(
    this: Module & { forward(...inputs: Inputs): Output },
    ...inputs: Inputs
  ): Output {
    try {
      return scope(() => this.forward(...inputs));
    } catch (error) {
      nameLayer(error, this);
      throw error;
    }
  }

  /**
   * Registers a tensor that belongs to the module but is not trained, under PyTorch's key. Returns the tensor.
   *
   * @param options.persistent make it part of the state dict (default true)
   */
  registerBuffer(name: string, tensor: Tensor, { persistent = true }: { persistent?: boolean } = {}): Tensor {
    this.#buffers.set(name, keep(tensor));
    if (!persistent) {
      this.#unsavedBuffers.add(name);
    }
    return tensor;
  }

  /** Parameters of this very module by key, without those of its submodules. */
  ownParameters(): Map<string, Parameter> {
    const found = new Map<string, Parameter>();
    for (const [property, value] of Object.entries(this)) {
      if (value instanceof Parameter) {
        found.set(pytorchName(property), value);
      }
    }
    return found;
  }

  /** Direct submodules by key, in registration order. */
  namedChildren(): Map<string, Module> {
    const found = new Map<string, Module>();
    for (const [property, value] of Object.entries(this)) {
      if (value instanceof Module) {
        found.set(pytorchName(property), value);
      }
    }
    return found;
  }

  /** Direct submodules in registration order. */
  children(): Module[] {
    return [...this.namedChildren().values()];
  }

  /** This module (key '') and every module below it, depth first, each once. */
  namedModules(): Map<string, Module> {
    const found = new Map<string, Module>();
    const seen = new Set<Module>();
    visitModules(this, '', (prefix, module) => {
      if (!seen.has(module)) {
        seen.add(module);
        found.set(prefix.replace(/\.$/, ''), module);
      }
    });
    return found;
  }

  /** This module and every module below it, depth first, each once. */
  modules(): Module[] {
    return [...this.namedModules().values()];
  }

  /** Every parameter by key; one that is shared between modules appears once, under its first key. */
  namedParameters(): Map<string, Parameter> {
    const found = new Map<string, Parameter>();
    const seen = new Set<Parameter>();
    visitModules(this, '', (prefix, module) => {
      for (const [name, parameter] of module.ownParameters()) {
        if (!seen.has(parameter)) {
          seen.add(parameter);
          found.set(prefix + name, parameter);
        }
      }
    });
    return found;
  }

  /** Every parameter, each once. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()];
  }

  /** Every buffer by key. */
  namedBuffers(): StateDict {
    const found: StateDict = new Map();
    visitModules(this, '', (prefix, module) => {
      for (const [name, buffer] of module.#buffers) {
        found.set(prefix + name, buffer);
      }
    });
    return found;
  }

  /**
   * All parameters and buffers under PyTorch's keys, in PyTorch's order. The tensors are detached views: they share
   * memory with the module, so `clone()` what must not change with further training.
   */
  stateDict(): StateDict {
    const state: StateDict = new Map();
    for (const [key, tensor] of this.#state()) {
      state.set(key, tensor.detach());
    }
    return state;
  }

  /**
   * Copies values into the parameters and buffers of the same key, converting dtype and device.
   *
   * @param options.strict throw if the keys differ (default true)
   * @throws TorchError `argument` naming every key whose shape differs and, if strict, the keys that differ. Nothing has
   *   been copied then.
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>, { strict = true }: { strict?: boolean } = {}): LoadReport {
    const own = this.#state();
    const report: LoadReport = {
      missing: [...own.keys()].filter((key) => !state.has(key)),
      unexpected: [...state.keys()].filter((key) => !own.has(key)),
    };
    const pairs = [...own].flatMap(([key, target]) => {
      const source = state.get(key);
      return source ? [{ key, target, source }] : [];
    });
    const problems = [...(strict ? describeReport(report) : []), ...pairs.flatMap(describeShapes)];
    if (problems.length > 0) {
      throw new TorchError(`the state dict does not fit ${this.constructor.name}: ${problems.join('; ')}`, {
        code: 'argument',
        hint: 'load it into the architecture it was saved from, or leave out the keys whose shape differs and pass { strict: false }',
      });
    }
    scope(() =>
      noGrad(() => {
        for (const { target, source } of pairs) {
          target.copy_(source);
        }
      }),
    );
    return report;
  }

  /** Switches this module and all below it to training behaviour (default) or, with `false`, to evaluation. */
  train(mode = true): this {
    for (const module of this.modules()) {
      module.training = mode;
    }
    return this;
  }

  /** Switches this module and all below it to evaluation behaviour. */
  eval(): this {
    return this.train(false);
  }

  /** Whether gradients are computed for the parameters; `false` freezes them. */
  requiresGrad_(flag = true): this {
    for (const parameter of this.parameters()) {
      parameter.requiresGrad_(flag);
    }
    return this;
  }

  /** Computes no gradients for the parameters from now on: optimisers leave them as they are. */
  freeze(): this {
    return this.requiresGrad_(false);
  }

  /** Undoes {@link freeze}. */
  unfreeze(): this {
    return this.requiresGrad_(true);
  }

  /** Drops the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) {
      parameter.grad = null;
    }
  }

  /** Calls `fn` for every module, children before their parent. Used to initialise weights. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) {
      child.apply(fn);
    }
    fn(this);
    return this;
  }

  /** Moves parameters and buffers to a device and converts floating-point ones to a dtype, in place. */
  to({ device, dtype }: { device?: Device; dtype?: DType }): this {
    scope(() =>
      noGrad(() => {
        for (const tensor of this.#tensors()) {
          const floating = tensor.dtype.includes('float');
          setData(tensor, tensor.to({ device, dtype: floating ? dtype : undefined }));
          native().storageReplaced(TensorHandle.of(tensor));
        }
      }),
    );
    return this;
  }

  /** Frees all parameters and buffers. The module cannot be used afterwards. */
  dispose(): void {
    for (const tensor of this.#tensors()) {
      tensor.dispose();
    }
  }

  /** What stands in the brackets when this module is printed, besides its submodules: its settings, as PyTorch writes them. */
  extraRepr(): string {
    return '';
  }

  /** The tree of modules as PyTorch prints it. */
  toString(): string {
    const children = [...this.namedChildren()].map(([key, child]) => `(${key}): ${indent(child.toString())}`);
    const settings = this.extraRepr();
    if (children.length === 0) {
      return `${this.constructor.name}(${settings})`;
    }
    const lines = settings === '' ? children : [settings, ...children];
    return `${this.constructor.name}(\n  ${lines.join('\n  ')}\n)`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** Parameters and saved buffers themselves under PyTorch's keys; shared ones under every key they have. */
  #state(): StateDict {
    const state: StateDict = new Map();
    visitModules(this, '', (prefix, module) => {
      const saved = [...module.#buffers].filter(([name]) => !module.#unsavedBuffers.has(name));
      for (const [name, tensor] of [...module.ownParameters(), ...saved]) {
        state.set(prefix + name, tensor);
      }
    });
    return state;
  }

  /** All parameters and buffers, each once. */
  #tensors(): Set<Tensor> {
    return new Set<Tensor>([...this.namedParameters().values(), ...this.namedBuffers().values()]);
  }
}

/** A module from one tensor to one tensor: what {@link Sequential} chains. */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

function visitModules(module: Module, prefix: string, visit: (prefix: string, module: Module) => void): void {
  visit(prefix, module);
  for (const [name, child] of module.namedChildren()) {
    visitModules(child, `${prefix}${name}.`, visit);
  }
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

function describeReport({ missing, unexpected }: LoadReport): string[] {
  const list = (what: string, keys: string[]) => {
    const shown = keys.slice(0, 5).join(', ');
    return keys.length === 0 ? [] : [`${keys.length} ${what} (${shown}${keys.length > 5 ? ', ...' : ''})`];
  };
  return [...list('keys missing', missing), ...list('keys unexpected', unexpected)];
}

function describeShapes({ key, target, source }: { key: string; target: Tensor; source: Tensor }): string[] {
  const same = target.ndim === source.ndim && target.shape.every((size, axis) => size === source.shape[axis]);
  return same ? [] : [`'${key}' has shape [${source.shape}] in the state dict but [${target.shape}] here`];
}
