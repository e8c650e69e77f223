import type { Readable } from 'node:stream';

const keptMessages = 20;
const longestLine = 2000;

/**
 * Reads FFmpeg's log while it decodes: the time stamp of every frame (printed by the `metadata` filter in whole
 * microseconds) and the first few error messages. Always drained, bounded in memory.
 */
export class DecodeLog {
  /** The first error messages, without memory addresses. */
  readonly errors: string[] = [];
  /** Number of error messages in all. */
  errorCount = 0;
  /** Whether FFmpeg said that the file ends too early. */
  endsEarly = false;
  readonly #timestamps: (number | null)[] = [];
  #partialLine = '';
  #closed = false;
  #wake: (() => void) | null = null;

  constructor(stderr: Readable) {
    stderr.setEncoding('utf8');
    stderr.on('data', (text: string) => this.#read(text));
    stderr.once('close', () => {
      this.#readLine(this.#partialLine);
      this.#closed = true;
      this.#wake?.();
    });
  }

  /** Time of the next frame in seconds, in the order of frames; null if the file states none. */
  async nextTimestamp(): Promise<number | null> {
    while (this.#timestamps.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#timestamps.shift() ?? null;
  }

  #read(text: string): void {
    const lines = (this.#partialLine + text).split('\n');
    this.#partialLine = (lines.pop() ?? '').slice(0, longestLine);
    for (const line of lines) this.#readLine(line);
    this.#wake?.();
  }

  #readLine(line: string): void {
    const frame = /^\[Parsed_metadata_\d+ @ \w+\] \[info\] frame:\d+ +pts:(-?\d+|NOPTS)/.exec(line);
    if (frame !== null) {
      this.#timestamps.push(frame[1] === 'NOPTS' ? null : Number(frame[1]) / 1e6);
      return;
    }
    if (/partial file|ended prematurely|moov atom not found/i.test(line)) this.endsEarly = true;
    if (!/\[(error|fatal|panic)\] /.test(line)) return;
    this.errorCount += 1;
    if (this.errors.length < keptMessages) this.errors.push(line.replace(/ @ 0x[0-9a-f]+/g, '').slice(0, 300));
  }
}
