import type { ChildLimits } from './children.js';
import { type DecodeSummary, lastPosition, summarise, truncatedError } from './completeness.js';
import type { LoggedFrame } from './decode-log.js';
import { type DecodePlan, estimateFrames, type FrameSelection, planDecode, secondsOf } from './decode-plan.js';
import { VideoError, withPosition } from './errors.js';
import { findFfmpeg } from './ffmpeg.js';
import { type DecodedFrame, FrameReader, type FrameReaderOptions } from './frame-reader.js';
import { probe, undecodableError, type VideoInfo, withBrokenIndex } from './probe.js';

/** Which frames of a video are wanted, in which size, and within which limits. */
export interface DecodeOptions extends FrameSelection, Partial<ChildLimits> {
  /** What to do with a file that holds clearly less than its header states. Default `error`. */
  truncated?: 'error' | 'accept';
  /** Decoder threads. Default: FFmpeg's choice. */
  threads?: number;
  /** Header of the file if it was probed before; saves one process. */
  info?: VideoInfo;
  /** Milliseconds FFmpeg may take for the file; the consumer's own time is not counted. Default 300,000. */
  timeoutMs?: number;
}

/** One frame. */
export interface VideoFrame {
  /** Pixels, uint8 R,G,B, `[H, W, 3]`; the consumer's to keep. */
  data: Uint8Array;
  /** 0, 1, 2, ... in the order of delivery. */
  index: number;
  height: number;
  width: number;
  /** Seconds from the start of the video (`info.startPts`): when the frame is shown, or with `fps` the even moment. */
  timestamp: number;
  /** Presentation time of this frame in the file, in units of `info.timeBase`; null where the file states none. */
  pts: number | null;
}

/** A whole decoded video. */
export interface DecodedVideo extends DecodeSummary {
  /** Pixels, uint8 R,G,B, `[T, H, W, 3]`. */
  data: Uint8Array;
  height: number;
  width: number;
  /** Seconds from the start of the video, `[T]`. */
  timestamps: Float64Array;
  /** Presentation time of each frame in the file, in units of `info.timeBase`; NaN where not stated, `[T]`. */
  pts: Float64Array;
}

/** A header cannot make {@link decode} reserve more than this before there are frames. */
const mostBytesInAdvance = 1 << 30;

/**
 * Decodes a local video frame by frame: rotated as displayed, square pixels, 8-bit RGB, in the order of presentation.
 * `start` and `end` deliver exactly those frames of the whole video whose time is in [start, end); where the container
 * allows it, decoding begins at the key frame before `start`. FFmpeg runs only a pipe buffer ahead of the consumer, and
 * is ended when the consumer stops.
 *
 * Errors as {@link probe}; besides `invalid-argument`, `undecodable` (no frame could be decoded) and, after the last
 * frame, `truncated`. The generator's return value is the {@link DecodeSummary}.
 */
export async function* frames(
  path: string,
  options: DecodeOptions = {},
): AsyncGenerator<VideoFrame, DecodeSummary, undefined> {
  const info = options.info ?? (await probe(path, { signal: options.signal }));
  const plan = planDecode(info, options);
  const clock = new FrameClock(info, plan);
  const { reader, first } = await startReading(info, plan, options);
  let delivered = 0;
  try {
    for (let frame = first; frame !== null; frame = await reader.next()) {
      const { data, pts } = frame;
      yield { data, index: delivered++, height: plan.height, width: plan.width, timestamp: clock.timeOf(frame), pts };
    }
    const { log, endedNormally } = reader;
    if (log.decodedCount === 0) {
      if (log.endsEarly) throw truncatedError(info, 'The file ends before its first frame', lastPosition(info, log, 0));
      const error = undecodableError(info.path, 'Not a single frame could be decoded.', log.errors.join('\n'));
      throw await withBrokenIndex(info.path, error);
    }
    const acceptTruncated = options.truncated === 'accept';
    return summarise(info, log, options, { delivered, wanted: plan.maxFrames, endedNormally, acceptTruncated });
  } catch (error) {
    throw error instanceof VideoError ? withPosition(error, lastPosition(info, reader.log, delivered)) : error;
  } finally {
    await reader.close();
  }
}

/**
 * Decodes a whole local video, or the selected part of it, into memory: rotated as displayed, square pixels, 8-bit RGB.
 *
 * Errors as {@link frames}.
 */
export async function decode(path: string, options: DecodeOptions = {}): Promise<DecodedVideo> {
  const info = options.info ?? (await probe(path, { signal: options.signal }));
  const { width, height } = planDecode(info, options);
  const frameBytes = width * height * 3;
  const expectedBytes = frameBytes * Math.max(1, estimateFrames(info, options));
  let data = allocate(info, Math.min(expectedBytes, mostBytesInAdvance));
  const timestamps: number[] = [];
  const pts: number[] = [];
  const source = frames(path, { ...options, info });
  let step = await source.next();
  for (; !step.done; step = await source.next()) {
    const end = (timestamps.length + 1) * frameBytes;
    if (end > data.length) {
      const larger = allocate(info, Math.max(end, Math.ceil(data.length * 1.5)));
      larger.set(data);
      data = larger;
    }
    data.set(step.value.data, end - frameBytes);
    timestamps.push(step.value.timestamp);
    pts.push(step.value.pts ?? NaN);
  }
  const pixels = data.subarray(0, timestamps.length * frameBytes);
  const times = { timestamps: Float64Array.from(timestamps), pts: Float64Array.from(pts) };
  return { ...step.value, data: pixels, height, width, ...times };
}

/** Starts FFmpeg, with a jump to the first wanted frame if that turns out to be exact, and reads that frame. */
async function startReading(
  info: VideoInfo,
  plan: DecodePlan,
  { threads, signal, timeoutMs = 300_000 }: DecodeOptions,
): Promise<{ reader: FrameReader; first: DecodedFrame | null }> {
  const programs = await findFfmpeg();
  const start = async (options: FrameReaderOptions) => {
    const reader = new FrameReader(info, plan, programs, options);
    try {
      return { reader, first: await reader.next() };
    } catch (error) {
      await reader.close();
      throw error;
    }
  };
  const limits = { threads, signal, timeoutMs };
  if (plan.canSeek) {
    const jumped = await start({ ...limits, seek: true });
    if (isExact(jumped.reader, plan)) return jumped;
    await jumped.reader.close();
  }
  return start({ ...limits, seek: false });
}

/**
 * Whether a jump led to the same first frame as decoding everything would: decoding began early enough, and nothing was
 * missing on the way from the key frame to the first wanted frame.
 */
function isExact({ log }: FrameReader, { firstPts }: DecodePlan): boolean {
  const beganInTime = log.firstDecodedPts !== null && log.firstDecodedPts <= firstPts!;
  return beganInTime && (log.errorsBeforeDelivery ?? log.errorCount) === 0;
}

/** Times of frames in seconds from the start of the video; fills in those that the file does not state. */
export class FrameClock {
  readonly #info: VideoInfo;
  readonly #plan: DecodePlan;
  /** When the frame after the last one is expected. */
  #next = 0;

  constructor(info: VideoInfo, plan: DecodePlan) {
    this.#info = info;
    this.#plan = plan;
  }

  timeOf({ pts, slot }: LoggedFrame): number {
    const { slots } = this.#plan;
    const stated = slots !== null && slot !== null ? slots.originPts + slot * slots.ticksPerSlot : pts;
    const time = stated === null ? this.#next : secondsOf(this.#info, stated - this.#info.startPts);
    this.#next = time + 1 / this.#info.averageFrameRate;
    if (slots !== null) this.#refuseJump(time);
    return time;
  }

  /** A damaged time stamp far in the future would make an even frame rate repeat a picture millions of times. */
  #refuseJump(time: number): void {
    const { duration, path } = this.#info;
    if (duration === null || time <= 1.5 * duration + 60) return;
    throw undecodableError(path, `Its time stamps go far beyond its stated duration of ${duration} s.`);
  }
}

function allocate(info: VideoInfo, bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new VideoError({
      code: 'invalid-argument',
      path: info.path,
      reason: `Its frames need more than ${(bytes / 1e9).toFixed(1)} GB of memory.`,
      hint: 'Use a smaller shortSide, fps or maxFrames, or read it frame by frame.',
      cause,
    });
  }
}
