import type { BinaryFile } from './binary-file.js';
import { FormatError } from './format-error.js';

const WINDOW_BYTES = 2 ** 16;
const LINE_FEED = 0x0a;
/** The lines that are read are names of classes. */
const MOST_LINE_BYTES = 1000;

/** Reads bytes one part after the other, out of a region of a file or out of memory, never beyond the end. */
export class ByteReader {
  #position: number;
  readonly #end: number;
  readonly #read: (position: number, count: number) => Buffer;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  private constructor(start: number, end: number, read: (position: number, count: number) => Buffer) {
    this.#position = start;
    this.#end = end;
    this.#read = read;
  }

  static ofFile(file: BinaryFile, start: number, end: number): ByteReader {
    return new ByteReader(start, end, (position, count) => file.read(position, count));
  }

  static ofBytes(bytes: Buffer): ByteReader {
    return new ByteReader(0, bytes.length, (position, count) => bytes.subarray(position, position + count));
  }

  /** Where the next byte lies. */
  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  /** The next `count` bytes. They must be used, or copied, before the next call. */
  take(count: number): Buffer {
    if (count > this.remaining) {
      throw new FormatError(`it ends at byte ${this.#end}, but ${count} bytes are needed at byte ${this.#position}`);
    }
    if (this.#position + count > this.#windowStart + this.#window.length) {
      this.#window = this.#read(this.#position, Math.min(Math.max(count, WINDOW_BYTES), this.remaining));
      this.#windowStart = this.#position;
    }
    const start = this.#position - this.#windowStart;
    this.#position += count;
    return this.#window.subarray(start, start + count);
  }

  skip(count: number): void {
    if (count > this.remaining) throw new FormatError(`it ends at byte ${this.#end}, within what is passed over`);
    this.#position += count;
  }

  /** The next bytes up to a line feed, which is passed over. */
  takeLine(): string {
    const bytes: number[] = [];
    for (let byte = this.take(1)[0]!; byte !== LINE_FEED; byte = this.take(1)[0]!) {
      if (bytes.push(byte) > MOST_LINE_BYTES)
        throw new FormatError(`it has a line of more than ${MOST_LINE_BYTES} bytes`);
    }
    return Buffer.from(bytes).toString('utf8');
  }
}
