import type { Readable } from 'node:stream';
import { decodedMark, deliveredMark, type Slots } from './decode-plan.js';

const keptMessages = 20;
const longestLine = 2000;
const framePattern = new RegExp(
  `^\\[(${decodedMark}|${deliveredMark}) @ \\w+\\] \\[info\\] frame:\\d+ +pts:(-?\\d+|NOPTS)`,
);
const earlyEndPattern = /partial file|ended prematurely|moov atom not found/i;
const errorPattern = /\[(error|fatal|panic)\] /;

/** Whether a line of FFmpeg's log tells of anything wrong with what is decoded. */
export function tellsOfTrouble(line: string): boolean {
  return earlyEndPattern.test(line) || errorPattern.test(line);
}

/** What the log tells about a frame that comes through the pipe. */
export interface LoggedFrame {
  /** Presentation time in the file, in units of the time base; null if the file states none. */
  pts: number | null;
  /** Number of its moment in an even row of {@link Slots}; null when frames keep their own times. */
  slot: number | null;
}

/** State of decoding when the first error message came. */
export interface FirstError {
  /** Frames delivered before. */
  delivered: number;
  /** Presentation time of the frame decoded last, or null. */
  pts: number | null;
}

/** How a {@link DecodeLog} reads FFmpeg's messages. */
export interface DecodeLogOptions {
  /** Whether every decoded frame is delivered, so that it is marked once. */
  deliversAll: boolean;
  slots: Slots | null;
  /** Leave out messages from before the first frame: after a jump they concern frames before the key frame. */
  ignoreErrorsBeforeFrames: boolean;
}

/**
 * Reads FFmpeg's log while it decodes: the time stamp of every decoded and every delivered frame (printed by filters)
 * and the first few error messages. Always drained, bounded in memory: FFmpeg only runs a pipe buffer ahead.
 */
export class DecodeLog {
  /** The first error messages, without memory addresses. */
  readonly errors: string[] = [];
  /** Number of error messages in all. */
  errorCount = 0;
  firstError: FirstError | null = null;
  /** Whether FFmpeg said that the file ends too early. */
  endsEarly = false;
  /** Frames decoded so far, delivered or not. */
  decodedCount = 0;
  deliveredCount = 0;
  /** Presentation times of the decoded frames so far. */
  firstDecodedPts: number | null = null;
  lastDecodedPts: number | null = null;
  /** Number of error messages when the first frame was delivered; null before. */
  errorsBeforeDelivery: number | null = null;
  readonly #options: DecodeLogOptions;
  readonly #delivered: LoggedFrame[] = [];
  /** Times of decoded frames that a slot can still show. */
  #shownPts: number[] = [];
  #partialLine = '';
  #closed = false;
  #wake: (() => void) | null = null;

  constructor(stderr: Readable, options: DecodeLogOptions) {
    this.#options = options;
    stderr.setEncoding('utf8');
    stderr.on('data', (text: string) => this.#read(text));
    stderr.once('close', () => {
      this.#readLine(this.#partialLine);
      this.#closed = true;
      this.#wake?.();
    });
  }

  /** The next delivered frame, in order; null when there is none any more. */
  async nextFrame(): Promise<LoggedFrame | null> {
    while (this.#delivered.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#delivered.shift() ?? null;
  }

  #read(text: string): void {
    const lines = (this.#partialLine + text).split('\n');
    this.#partialLine = (lines.pop() ?? '').slice(0, longestLine);
    for (const line of lines) this.#readLine(line);
    this.#wake?.();
  }

  #readLine(line: string): void {
    const frame = framePattern.exec(line);
    if (frame !== null) {
      const pts = frame[2] === 'NOPTS' ? null : Number(frame[2]);
      if (frame[1] === decodedMark) this.#addDecoded(pts);
      else this.#addDelivered(pts);
      return;
    }
    if (earlyEndPattern.test(line)) this.endsEarly = true;
    if (errorPattern.test(line)) this.#addError(line);
  }

  #addDecoded(pts: number | null): void {
    this.decodedCount += 1;
    if (this.decodedCount === 1) this.firstDecodedPts = pts;
    this.lastDecodedPts = pts ?? this.lastDecodedPts;
    if (this.#options.slots !== null && pts !== null) this.#shownPts.push(pts);
    if (this.#options.deliversAll) this.#addDelivered(pts);
  }

  #addDelivered(printed: number | null): void {
    this.errorsBeforeDelivery ??= this.errorCount;
    this.deliveredCount += 1;
    const { slots } = this.#options;
    this.#delivered.push(
      slots === null ? { pts: printed, slot: null } : { pts: this.#shownAt(printed ?? 0, slots), slot: printed },
    );
  }

  /** Presentation time of the frame shown at a slot: the last one that is not later. */
  #shownAt(slot: number, { originPts, ticksPerSlot }: Slots): number | null {
    const moment = originPts + slot * ticksPerSlot + 1e-6;
    const later = this.#shownPts.findIndex((pts) => pts > moment);
    const past = (later === -1 ? this.#shownPts.length : later) - 1;
    if (past > 0) this.#shownPts = this.#shownPts.slice(past);
    return this.#shownPts[0] ?? null;
  }

  #addError(line: string): void {
    if (this.#options.ignoreErrorsBeforeFrames && this.decodedCount === 0) return;
    this.firstError ??= { delivered: this.deliveredCount, pts: this.lastDecodedPts };
    this.errorCount += 1;
    if (this.errors.length < keptMessages) this.errors.push(line.replace(/ @ 0x[0-9a-f]+/g, '').slice(0, 300));
  }
}
