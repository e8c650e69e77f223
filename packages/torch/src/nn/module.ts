import { noGrad } from '../autograd.js';
import { TorchError } from '../errors.js';
import { op } from '../operator.js';
import { keep, scope } from '../scope.js';
import type { Device, DType, Tensor } from '../tensor.js';
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
 * property's name in snake case is the key PyTorch would use. `#private` fields are never registered. Other
 * persistent tensors (running statistics) are registered with {@link registerBuffer}.
 *
 * Use {@link call}, not `forward`: it frees the intermediate tensors of the forward pass.
 */
export abstract class Module {
  /** Whether layers behave as in training (dropout active, batch statistics in use). Set with {@link train}. */
  training = true;

  readonly #buffers = new Map<string, Tensor>();

  /** The computation of this module. Called through {@link call}. */
  abstract forward(...inputs: never[]): unknown;

  /** Runs `forward` in a scope of its own: of the tensors it makes, only those it returns stay alive. */
  call<Inputs extends unknown[], Output>(this: { forward(...inputs: Inputs): Output }, ...inputs: Inputs): Output {
    return scope(() => this.forward(...inputs));
  }

  /** Registers a tensor that belongs to the state but is not trained, under PyTorch's key. Returns the tensor. */
  registerBuffer(name: string, tensor: Tensor): Tensor {
    this.#buffers.set(name, keep(tensor));
    return tensor;
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
      for (const [name, parameter] of ownParameters(module)) {
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
   * @throws TorchError `argument` naming the key whose shape differs, or, if strict, the keys that differ. Nothing
   *   has been copied then.
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>, { strict = true }: { strict?: boolean } = {}): LoadReport {
    const own = this.#state();
    const report: LoadReport = {
      missing: [...own.keys()].filter((key) => !state.has(key)),
      unexpected: [...state.keys()].filter((key) => !own.has(key)),
    };
    if (strict && report.missing.length + report.unexpected.length > 0) {
      throw new TorchError(`state dict does not fit ${this.constructor.name}: ${describeReport(report)}`, {
        code: 'argument',
        hint: 'load it into the architecture it was saved from, or pass { strict: false } and read the report',
      });
    }
    const pairs = [...own].flatMap(([key, target]) => {
      const source = state.get(key);
      return source ? [{ key, target, source }] : [];
    });
    for (const { key, target, source } of pairs) {
      assertSameShape(key, target, source);
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
        for (const tensor of new Set(this.#state().values())) {
          const floating = tensor.dtype.includes('float');
          setData(tensor, tensor.to({ device, dtype: floating ? dtype : undefined }));
        }
      }),
    );
    return this;
  }

  /** Frees all parameters and buffers. The module cannot be used afterwards. */
  dispose(): void {
    for (const tensor of new Set(this.#state().values())) {
      tensor.dispose();
    }
  }

  /** Parameters and buffers themselves under PyTorch's keys; shared ones under every key they have. */
  #state(): StateDict {
    const state: StateDict = new Map();
    visitModules(this, '', (prefix, module) => {
      for (const [name, tensor] of [...ownParameters(module), ...module.#buffers]) {
        state.set(prefix + name, tensor);
      }
    });
    return state;
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

function ownParameters(module: Module): [string, Parameter][] {
  return Object.entries(module).flatMap(([property, value]): [string, Parameter][] =>
    value instanceof Parameter ? [[pytorchName(property), value]] : [],
  );
}

function describeReport({ missing, unexpected }: LoadReport): string {
  const list = (what: string, keys: string[]) => {
    const shown = keys.slice(0, 5).join(', ');
    return keys.length === 0 ? [] : [`${keys.length} ${what} (${shown}${keys.length > 5 ? ', ...' : ''})`];
  };
  return [...list('keys missing', missing), ...list('keys unexpected', unexpected)].join(', ');
}

function assertSameShape(key: string, target: Tensor, source: Tensor): void {
  const same = target.ndim === source.ndim && target.shape.every((size, axis) => size === source.shape[axis]);
  if (!same) {
    throw new TorchError(`'${key}' has shape [${source.shape}] in the state dict but [${target.shape}] here`, {
      code: 'argument',
      hint: 'leave this key out and pass { strict: false } to keep the value the module has',
    });
  }
}
