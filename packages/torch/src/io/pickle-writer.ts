/**
 * Writes the operations of pickle's protocol 2, which every version of PyTorch reads, also its own restricted reader
 * (`weights_only`). Names of the methods are those of Python's pickletools.
 */
export class PickleWriter {
  readonly #parts: Buffer[] = [Buffer.from([0x80, 2])];

  /** The pickle of the value that was written. */
  finish(): Buffer {
    this.#code('.');
    return Buffer.concat(this.#parts);
  }

  none(): void {
    this.#code('N');
  }

  boolean(value: boolean): void {
    this.#parts.push(Buffer.from([value ? 0x88 : 0x89]));
  }

  /** An integer where the number is one, else a float. */
  number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      this.integer(BigInt(value));
      return;
    }
    const bytes = Buffer.alloc(9);
    bytes.write('G', 'latin1');
    bytes.writeDoubleBE(value, 1);
    this.#parts.push(bytes);
  }

  integer(value: bigint): void {
    if (BigInt.asIntN(32, value) === value) {
      const bytes = Buffer.alloc(5);
      bytes.write('J', 'latin1');
      bytes.writeInt32LE(Number(value), 1);
      this.#parts.push(bytes);
      return;
    }
    let length = 5;
    while (BigInt.asIntN(length * 8, value) !== value) length += 1;
    const hex = BigInt.asUintN(length * 8, value).toString(16);
    const bytes = Buffer.from(hex.padStart(length * 2, '0'), 'hex').reverse();
    this.#parts.push(Buffer.from([0x8a, length]), bytes);
  }

  string(value: string): void {
    const bytes = Buffer.from(value);
    const head = Buffer.alloc(5);
    head.write('X', 'latin1');
    head.writeUInt32LE(bytes.length, 1);
    this.#parts.push(head, bytes);
  }

  /** What `write` writes, as a list. */
  list(write: () => void): void {
    this.#code('](');
    write();
    this.#code('e');
  }

  tuple(write: () => void): void {
    this.#code('(');
    write();
    this.#code('t');
  }

  /** What `write` writes in pairs of keys and values, as a dictionary. */
  dictionary(write: () => void): void {
    this.#code('}(');
    write();
    this.#code('u');
  }

  /** A class or function by its name. */
  global(module: string, name: string): void {
    this.#code(`c${module}\n${name}\n`);
  }

  /** A call of a function by its name, with the arguments that `write` writes. */
  call(module: string, name: string, write: () => void): void {
    this.global(module, name);
    this.tuple(write);
    this.#code('R');
  }

  /** What the tuple that `write` writes refers to outside of the pickle. */
  persistent(write: () => void): void {
    this.tuple(write);
    this.#code('Q');
  }

  #code(text: string): void {
    this.#parts.push(Buffer.from(text, 'latin1'));
  }
}
