import { native } from './native.js';
import { TensorHandle } from './scope.js';
import { type Device, Tensor } from './tensor.js';

/** The seed of a generator that nobody has seeded: PyTorch's. */
const DEFAULT_SEED = 67280421310721;

let lastId = 0;
const collector = new FinalizationRegistry<number>((id) => native().setGenerator(id, null));

/**
 * A source of random numbers of its own: `randn([3], { generator })` and the in-place draws take one. The same seed
 * gives the same numbers as in PyTorch.
 */
export class Generator {
  readonly device: Device;
  readonly #id: number;

  /** @param options.device where it makes numbers, and only there. Default `cpu` */
  constructor({ device = 'cpu' }: { device?: Device } = {}) {
    this.device = device;
    lastId += 1;
    this.#id = lastId;
    native().setGenerator(this.#id, device);
    collector.register(this, this.#id);
    this.manualSeed(DEFAULT_SEED);
  }

  /** Starts the sequence of a seed, an integer. Returns this generator. */
  manualSeed(seed: number): this {
    native().seedGenerator(this.#id, seed);
    return this;
  }

  /** Where in its sequence it is, a uint8 tensor. */
  getState(): Tensor {
    return new Tensor(native().getRngState(this.#id));
  }

  /** Goes back to a state that {@link getState} gave. Returns this generator. */
  setState(state: Tensor): this {
    native().setRngState(this.#id, TensorHandle.of(state));
    return this;
  }

  /** The number for a native call. @internal */
  static idOf(generator: Generator): number {
    return generator.#id;
  }
}
