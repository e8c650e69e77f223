import type { Tensor } from '../tensor.js';
import { type Layer, Module } from './module.js';
import type { Parameter } from './parameter.js';

/** Returns its input. Stands in for a layer that is not wanted. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** A list of modules that registers them under the keys '0', '1', ...; it has no forward of its own. */
export class ModuleList<M extends Module = Module> extends Module {
  readonly #modules: M[];

  constructor(modules: Iterable<M> = []) {
    super();
    this.#modules = [...modules];
  }

  override namedChildren(): Map<string, Module> {
    return indexed(this.#modules);
  }

  get length(): number {
    return this.#modules.length;
  }

  at(index: number): M | undefined {
    return this.#modules.at(index);
  }

  [Symbol.iterator](): Iterator<M> {
    return this.#modules[Symbol.iterator]();
  }

  /** @throws always; call the modules in the list. */
  override forward(): never {
    throw new TypeError('a ModuleList is a list, not a function: call the modules in it');
  }
}

/** Modules by key, registered under these keys; it has no forward of its own. */
export class ModuleDict<M extends Module = Module> extends Module {
  readonly #modules: Map<string, M>;

  constructor(modules: Record<string, M> | Iterable<readonly [string, M]> = []) {
    super();
    this.#modules = new Map(Symbol.iterator in modules ? modules : Object.entries(modules));
  }

  override namedChildren(): Map<string, Module> {
    return new Map(this.#modules);
  }

  get(key: string): M | undefined {
    return this.#modules.get(key);
  }

  keys(): string[] {
    return [...this.#modules.keys()];
  }

  [Symbol.iterator](): Iterator<[string, M]> {
    return this.#modules[Symbol.iterator]();
  }

  /** @throws always; call the modules in it. */
  override forward(): never {
    throw new TypeError('a ModuleDict holds modules and is no function: call the modules in it');
  }
}

/** A list of parameters that registers them under the keys '0', '1', ...; it has no forward. */
export class ParameterList extends Module {
  readonly #parameters: Parameter[];

  constructor(parameters: Iterable<Parameter> = []) {
    super();
    this.#parameters = [...parameters];
  }

  override ownParameters(): Map<string, Parameter> {
    return new Map(this.#parameters.map((parameter, index) => [String(index), parameter]));
  }

  get length(): number {
    return this.#parameters.length;
  }

  at(index: number): Parameter | undefined {
    return this.#parameters.at(index);
  }

  [Symbol.iterator](): Iterator<Parameter> {
    return this.#parameters[Symbol.iterator]();
  }

  /** @throws always; use the parameters in the list. */
  override forward(): never {
    throw new TypeError('a ParameterList is a list, not a function: use the parameters in it');
  }
}

/**
 * Chains layers, each applied to the output of the one before; keys '0', '1', ...
 *
 * An intermediate result is freed as soon as the next layer has run (autograd keeps what the backward pass needs), so
 * without gradients only one layer's activations are alive at a time.
 */
export class Sequential extends Module {
  readonly #layers: Layer[];

  constructor(...layers: Layer[]) {
    super();
    this.#layers = layers;
  }

  override namedChildren(): Map<string, Module> {
    return indexed(this.#layers);
  }

  get length(): number {
    return this.#layers.length;
  }

  at(index: number): Layer | undefined {
    return this.#layers.at(index);
  }

  [Symbol.iterator](): Iterator<Layer> {
    return this.#layers[Symbol.iterator]();
  }

  override forward(input: Tensor): Tensor {
    return chain(this.#layers, input);
  }
}

/** Applies `layers` one after the other to `input`, freeing every intermediate result once it has been used. */
export function chain(layers: Iterable<Layer>, input: Tensor): Tensor {
  let x = input;
  for (const layer of layers) {
    const y = layer.call(x);
    if (x !== input && x !== y) {
      x.dispose();
    }
    x = y;
  }
  return x;
}

function indexed(modules: readonly Module[]): Map<string, Module> {
  return new Map(modules.map((module, index) => [String(index), module]));
}
