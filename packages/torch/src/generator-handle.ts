import { native } from './native.js';

let lastId = 0;
const collector = new FinalizationRegistry<number>((id) => native().setGenerator(id, null));

/** The part of a Generator that is about its life: its number on the native side. */
export abstract class GeneratorHandle {
  readonly #id: number;

  constructor(device: string) {
    lastId += 1;
    this.#id = lastId;
    native().setGenerator(this.#id, device);
    collector.register(this, this.#id);
  }

  /** The number for a native call. @internal */
  static of(generator: GeneratorHandle): number {
    return generator.#id;
  }
}
