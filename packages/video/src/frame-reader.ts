import { ChildGuard, type ChildLimits, startChild } from './children.js';
import { DecodeLog, type LoggedFrame } from './decode-log.js';
import { type DecodePlan, decodeArguments } from './decode-plan.js';
import type { FfmpegPrograms } from './ffmpeg.js';
import { undecodableError, type VideoInfo } from './probe.js';

/** Pixels of a frame, uint8 R,G,B `[H, W, 3]`, with what the log tells about it. */
export interface DecodedFrame extends LoggedFrame {
  data: Uint8Array;
}

/** Settings of one decoding process. */
export interface FrameReaderOptions extends ChildLimits {
  /** Begin at the key frame before the first wanted frame instead of at the beginning of the file. */
  seek: boolean;
  threads: number | undefined;
}

/** One FFmpeg process: cuts its output into frames and matches them with its log. It runs a pipe buffer ahead at most. */
export class FrameReader {
  readonly log: DecodeLog;
  /** Whether FFmpeg ended by itself without an error; known once {@link next} gave null. */
  endedNormally = false;
  readonly #info: VideoInfo;
  readonly #plan: DecodePlan;
  readonly #guard: ChildGuard;
  readonly #chunks: AsyncIterator<Buffer>;
  /** What was read from the pipe and does not belong to an earlier frame. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(info: VideoInfo, plan: DecodePlan, programs: FfmpegPrograms, options: FrameReaderOptions) {
    this.#info = info;
    this.#plan = plan;
    const child = startChild(programs.ffmpeg, decodeArguments(info, plan, programs, options), { stdin: 'ignore' });
    this.#guard = new ChildGuard(child, info.path, options);
    const { deliversAll, slots } = plan;
    this.log = new DecodeLog(child.stderr!, { deliversAll, slots, ignoreErrorsBeforeFrames: options.seek });
    this.#chunks = child.stdout![Symbol.asyncIterator]();
    this.#guard.pause();
  }

  /** The next frame, or null after the last one. The time limit runs only while this is waited for. */
  async next(): Promise<DecodedFrame | null> {
    this.#guard.resume();
    try {
      const data = await this.#readPixels();
      const logged = data === null ? null : await this.log.nextFrame();
      if (data !== null) return { data, ...(logged ?? { pts: null, slot: null }) };
      const { exitCode, killedBy } = await this.#guard.ended;
      this.#guard.throwIfStopped();
      if (killedBy !== null) throw undecodableError(this.#info.path, `FFmpeg crashed on this file (${killedBy}).`);
      this.endedNormally = exitCode === 0;
      return null;
    } finally {
      this.#guard.pause();
    }
  }

  /** Ends FFmpeg if it still runs. */
  async close(): Promise<void> {
    this.#guard.release();
    await this.#chunks.return?.();
  }

  async #readPixels(): Promise<Uint8Array | null> {
    const pixels = new Uint8Array(this.#plan.width * this.#plan.height * 3);
    for (let filled = 0; ; ) {
      const taken = Math.min(this.#rest.length, pixels.length - filled);
      pixels.set(this.#rest.subarray(0, taken), filled);
      this.#rest = this.#rest.subarray(taken);
      filled += taken;
      if (filled === pixels.length) return pixels;
      const { done, value } = await this.#chunks.next();
      this.#guard.throwIfStopped();
      if (done === true) return null;
      this.#rest = value;
    }
  }
}
