import { noGrad } from '../autograd.js';
import { TorchError } from '../errors.js';
import type { Module, StateDict } from '../nn/module.js';
import { keep, scope } from '../scope.js';
import type { Tensor } from '../tensor.js';
import { foreachAdd_, foreachMul_ } from './foreach.js';

/** Settings of {@link EMA}. */
export interface EMAOptions {
  /** Share of the average that a step keeps. Default 0.999. */
  decay?: number;
  /** Take over the buffers (running statistics) as they are, or average them too. Integers are copied. Default `copy`. */
  buffers?: 'copy' | 'average';
  /** A module of the same architecture that shall hold the averages (a teacher). It starts as a copy and is frozen. */
  into?: Module;
}

/**
 * An exponential moving average of the parameters and buffers of a module: average = decay * average + (1 - decay) * value,
 * as in mean teachers (Tarvainen and Valpola, NeurIPS 2017), BYOL and DINO. Move the module to its device first.
 */
export class EMA {
  /** Share of the average that a step keeps; may be changed between steps. */
  decay: number;
  readonly #pairs: readonly Pair[];
  readonly #averaged: { averages: Tensor[]; values: Tensor[] };
  readonly #copied: readonly Pair[];
  readonly #ownsAverages: boolean;

  /** @throws TorchError `argument` if `into` has other parameters or buffers than the source */
  constructor(source: Module, { decay = 0.999, buffers = 'copy', into }: EMAOptions = {}) {
    this.decay = decay;
    this.#ownsAverages = into === undefined;
    into?.loadStateDict(source.stateDict());
    into?.freeze();
    const averages = into && tensorsOf(into);
    this.#pairs = [...tensorsOf(source)].map(([key, value]) => ({
      key,
      value,
      average: averages?.get(key) ?? copyOf(value),
    }));
    const bufferKeys = source.namedBuffers();
    const isAveraged = ({ key, value }: Pair) =>
      value.dtype.includes('float') && (buffers === 'average' || !bufferKeys.has(key));
    const averaged = this.#pairs.filter(isAveraged);
    this.#averaged = {
      averages: averaged.map(({ average }) => average),
      values: averaged.map(({ value }) => value),
    };
    this.#copied = this.#pairs.filter((pair) => !isAveraged(pair));
  }

  /**
   * Moves the averages towards the present values.
   *
   * @param options.decay another one than {@link decay} for this step (a schedule's)
   */
  update({ decay = this.decay }: { decay?: number } = {}): void {
    updateAverages_(this.#averaged.averages, this.#averaged.values, decay);
    copyAll(this.#copied, ({ average, value }) => average.copy_(value));
  }

  /** Runs `body` while the source holds the averages (to evaluate them, say), and puts its own values back. */
  using<R>(body: () => R): R {
    this.swap();
    try {
      return body();
    } finally {
      this.swap();
    }
  }

  /** Exchanges the averages and the values of the source, as {@link using} does around a body; a second call undoes it. */
  swap(): void {
    copyAll(this.#pairs, ({ average, value }) => {
      const before = value.clone();
      value.copy_(average);
      average.copy_(before);
      before.dispose();
    });
  }

  /** The averages under the keys of the source; they share memory with this object. */
  stateDict(): StateDict {
    return new Map(this.#pairs.map(({ key, average }) => [key, average.detach()]));
  }

  /** @throws TorchError `argument` naming a key that is missing or unexpected, or whose shape differs */
  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    const averages = this.stateDict();
    for (const key of new Set([...state.keys(), ...averages.keys()])) {
      const [saved, here] = [state.get(key)?.shape, averages.get(key)?.shape];
      if (saved?.join() !== here?.join() || saved?.length !== here?.length) {
        const shape = (sizes: readonly number[] | undefined) => (sizes ? `shape [${sizes}]` : 'nothing');
        throw new TorchError(
          `the averages do not fit: '${key}' has ${shape(saved)} in the state, ${shape(here)} here`,
          {
            code: 'argument',
            hint: 'load them into the average of the architecture they were saved from',
          },
        );
      }
    }
    copyAll(this.#pairs, ({ key, average }) => average.copy_(state.get(key)!));
  }

  /** Frees the averages, unless they belong to a module. */
  dispose(): void {
    if (this.#ownsAverages) {
      for (const { average } of this.#pairs) {
        average.dispose();
      }
    }
  }
}

interface Pair {
  key: string;
  average: Tensor;
  value: Tensor;
}

/** average = decay * average + (1 - decay) * value, in place, for lists of tensors. */
export function updateAverages_(averages: readonly Tensor[], values: readonly Tensor[], decay: number): void {
  if (averages.length === 0) {
    return;
  }
  noGrad(() => {
    foreachMul_(averages, decay);
    foreachAdd_(averages, values, 1 - decay);
  });
}

function copyAll(pairs: readonly Pair[], copy: (pair: Pair) => void): void {
  noGrad(() => {
    for (const pair of pairs) {
      copy(pair);
    }
  });
}

function tensorsOf(module: Module): StateDict {
  return new Map<string, Tensor>([...module.namedParameters(), ...module.namedBuffers()]);
}

function copyOf(tensor: Tensor): Tensor {
  return scope(() => keep(tensor.detach().clone()));
}
