import type { Tensor } from '../tensor.js';
import { type Layer, Module } from './module.js';

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
