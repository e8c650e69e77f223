import { writeSync } from 'node:fs';

const BUFFERED_CHARACTERS = 1 << 16;

/** Writes lines to an open file, many at a time. */
export class LineWriter {
  readonly #handle: number;
  #lines: string[] = [];
  #characters = 0;

  /** @param handle descriptor of a file open for writing; the caller closes it */
  constructor(handle: number) {
    this.#handle = handle;
  }

  /** Adds a line; the line break is added here. */
  write(text: string): void {
    this.#lines.push(text);
    this.#characters += text.length;
    if (this.#characters >= BUFFERED_CHARACTERS) this.flush();
  }

  /** Writes what is still buffered. */
  flush(): void {
    if (this.#lines.length === 0) return;
    const bytes = Buffer.from(`${this.#lines.join('\n')}\n`);
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#handle, bytes, written);
    this.#lines = [];
    this.#characters = 0;
  }
}
