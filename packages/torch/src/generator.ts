import { GeneratorHandle } from './generator-handle.js';
import { native } from './native.js';
import { TensorHandle } from './scope.js';
import { type Device, Tensor } from './tensor.js';

/** The seed of a generator that nobody has seeded: PyTorch's. */
const DEFAULT_SEED = 67280421310721;

/**
 * A source of random numbers of its own: `randn([3], { generator })` and the in-place draws take one. The same seed
 * gives the same numbers as PyTorch on the same libtorch.
 */
export class Generator extends GeneratorHandle {
  readonly device: Device;

  /** @param options.device where it makes numbers, and only there. Default `cpu` */
  constructor({ device = 'cpu' }: { device?: Device } = {}) {
    super(device);
    this.device = device;
    this.manualSeed(DEFAULT_SEED);
  }

  /** Starts the sequence of a seed, an integer. Returns this generator. */
  manualSeed(seed: number): this {
    native().seedGenerator(GeneratorHandle.of(this), seed);
    return this;
  }

  /** Where in its sequence it is, a uint8 tensor. */
  getState(): Tensor {
    return new Tensor(native().getRngState(GeneratorHandle.of(this)));
  }

  /** Goes back to a state that {@link getState} gave. Returns this generator. */
  setState(state: Tensor): this {
    native().setRngState(GeneratorHandle.of(this), TensorHandle.of(state));
    return this;
  }
}
