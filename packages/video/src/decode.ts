import { ChildGuard, type ChildLimits, startChild } from './children.js';
import { DecodeLog } from './decode-log.js';
import { invalidArgument, VideoError } from './errors.js';
import { findFfmpeg, passthroughArguments } from './ffmpeg.js';
import { inputArguments, probe, undecodableError, type VideoInfo } from './probe.js';

/** Which frames of a video are wanted, and in which size. */
export interface DecodeOptions extends Partial<ChildLimits> {
  /** Scale so that the shorter displayed side has this many pixels, keeping the shape. Excludes `size`. */
  shortSide?: number;
  /** Scale to exactly this size. Excludes `shortSide`. Default: the displayed size. */
  size?: { width: number; height: number };
  /** Frames per second by repeating or leaving out frames. Default: every frame of the file exactly once. */
  fps?: number;
  /** Stop after this many frames. Default: all. */
  maxFrames?: number;
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
  /** 0, 1, 2, ... */
  index: number;
  height: number;
  width: number;
  /** Presentation time in the file, seconds. */
  timestamp: number;
}

/** How complete a decoded video is. */
export interface DecodeSummary {
  /** Number of frames decoded. */
  frames: number;
  /** Whether everything that the header states (or the asked `maxFrames`) was there and no decoder error was met. */
  complete: boolean;
  /** What was wrong with a usable file: missing frames, decoder errors. */
  warnings: string[];
}

/** A whole decoded video. */
export interface DecodedVideo extends DecodeSummary {
  /** Pixels, uint8 R,G,B, `[T, H, W, 3]`. */
  data: Uint8Array;
  height: number;
  width: number;
  /** Presentation time of each frame in the file, seconds, `[T]`. */
  timestamps: Float64Array;
}

/** A file is truncated if it holds less than this share of what its header states. */
const leastShare = 0.9;
/** Headers are often wrong by a frame or two, which is much of a very short video. */
const toleratedFrames = 2;
/** A header cannot make {@link decode} reserve more than this before there are frames. */
const mostBytesInAdvance = 1 << 30;

/**
 * Decodes a local video frame by frame: rotated as displayed, square pixels, 8-bit RGB. FFmpeg runs only a pipe buffer
 * ahead of the consumer, and is ended when the consumer stops.
 *
 * Errors as {@link probe}; besides `undecodable` (no frame could be decoded) and, after the last frame, `truncated`.
 * The generator's return value is the {@link DecodeSummary}.
 */
export async function* frames(
  path: string,
  options: DecodeOptions = {},
): AsyncGenerator<VideoFrame, DecodeSummary, undefined> {
  const info = options.info ?? (await probe(path, { signal: options.signal }));
  const { width, height } = targetSize(info, options);
  const { ffmpeg, version } = await findFfmpeg();
  const args = decodeArguments(info, { ...options, width, height, version });
  const child = startChild(ffmpeg, args, { stdin: 'ignore' });
  const guard = new ChildGuard(child, info.path, { timeoutMs: options.timeoutMs ?? 300_000, signal: options.signal });
  const log = new DecodeLog(child.stderr!);
  const extent = new DecodedExtent(info, options.fps);
  try {
    const frameBytes = width * height * 3;
    let data = new Uint8Array(frameBytes);
    let filled = 0;
    for await (const chunk of child.stdout! as AsyncIterable<Buffer>) {
      guard.throwIfStopped();
      for (let offset = 0; offset < chunk.length; ) {
        const taken = Math.min(chunk.length - offset, frameBytes - filled);
        data.set(chunk.subarray(offset, offset + taken), filled);
        offset += taken;
        filled += taken;
        if (filled < frameBytes) continue;
        const timestamp = extent.add(await log.nextTimestamp());
        guard.pause();
        yield { data, index: extent.frames - 1, height, width, timestamp };
        guard.resume();
        data = new Uint8Array(frameBytes);
        filled = 0;
      }
    }
    const end = await guard.ended;
    guard.throwIfStopped();
    if (end.killedBy !== null) throw undecodableError(info.path, `FFmpeg crashed on this file (${end.killedBy}).`);
    if (extent.frames === 0) {
      if (log.endsEarly) throw truncatedError(info, 'The file ends before its first frame');
      throw undecodableError(info.path, 'Not a single frame could be decoded.', log.errors.join('\n'));
    }
    return summarise(info, extent, log, end.exitCode === 0, options);
  } finally {
    guard.release();
    child.stdout!.destroy();
  }
}

/**
 * Decodes a whole local video into memory: rotated as displayed, square pixels, 8-bit RGB.
 *
 * Errors as {@link frames}.
 */
export async function decode(path: string, options: DecodeOptions = {}): Promise<DecodedVideo> {
  const info = options.info ?? (await probe(path, { signal: options.signal }));
  const { width, height } = targetSize(info, options);
  const frameBytes = width * height * 3;
  const expectedBytes = frameBytes * Math.max(1, estimateFrames(info, options));
  let data = allocate(info, Math.min(expectedBytes, mostBytesInAdvance));
  const timestamps: number[] = [];
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
  }
  const pixels = data.subarray(0, timestamps.length * frameBytes);
  return { ...step.value, data: pixels, height, width, timestamps: Float64Array.from(timestamps) };
}

/** Size of the frames that {@link decode} and {@link frames} deliver. Throws `invalid-argument`. */
export function targetSize(
  info: VideoInfo,
  { shortSide, size }: Pick<DecodeOptions, 'shortSide' | 'size'>,
): { width: number; height: number } {
  if (shortSide !== undefined && size !== undefined) {
    throw invalidArgument('Both shortSide and size are given.', 'Give one of them.');
  }
  if (shortSide !== undefined && !(Number.isInteger(shortSide) && shortSide >= 1)) {
    throw invalidArgument(`shortSide is ${shortSide}.`, 'Give a whole number of pixels of at least 1.');
  }
  const { width, height } = size ?? (shortSide === undefined ? info : scaleToShortSide(info, shortSide));
  if (![width, height].every((side) => Number.isInteger(side) && side >= 1)) {
    throw invalidArgument(`The frame size ${width} x ${height} is not possible.`, 'Give whole numbers of at least 1.');
  }
  return { width, height };
}

/** Frames that a video will probably have when decoded with these options; 0 when its header does not tell. */
export function estimateFrames(info: VideoInfo, { fps, maxFrames = Infinity }: DecodeOptions): number {
  const fromDuration = info.duration === null ? 0 : Math.ceil(info.duration * (fps ?? info.averageFrameRate));
  // No frame takes less than a byte, whatever a damaged header states.
  const stated = Math.min(info.frameCount ?? fromDuration, info.bytes);
  return Math.min(fps === undefined ? stated : fromDuration, maxFrames);
}

function scaleToShortSide({ width, height }: VideoInfo, shortSide: number): { width: number; height: number } {
  const scale = shortSide / Math.min(width, height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

function decodeArguments(
  info: VideoInfo,
  options: DecodeOptions & { width: number; height: number; version: string },
): string[] {
  const { width, height, fps, maxFrames, threads, version } = options;
  for (const [name, value] of Object.entries({ fps, maxFrames, threads })) {
    if (value !== undefined && !(value > 0)) throw invalidArgument(`${name} is ${value}.`, 'It must be above 0.');
  }
  const filters = [
    ...(fps === undefined ? [] : [`fps=${fps}`]),
    `scale=${width}:${height}:flags=bicubic`,
    'settb=1/1000000',
    'metadata=mode=add:key=chronotope:value=frame',
    'metadata=mode=print:key=chronotope',
  ];
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'repeat+level+info', '-copyts'],
    ...(threads === undefined ? [] : ['-threads', String(threads)]),
    ...inputArguments(info.path),
    ...['-map', '0:V:0', '-vf', filters.join(',')],
    ...passthroughArguments(version),
    ...(maxFrames === undefined ? [] : ['-frames:v', String(maxFrames)]),
    ...['-enc_time_base', '1:1000000', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
  ];
}

/** Counts decoded frames and the time they cover; fills in time stamps that the file does not state. */
class DecodedExtent {
  frames = 0;
  /** Seconds at which the first frame is shown. */
  start = 0;
  /** Seconds at which the last frame ends. */
  end = 0;
  /** Seconds that a frame is shown on average. */
  readonly interval: number;

  constructor(info: VideoInfo, fps: number | undefined) {
    this.interval = 1 / (fps ?? info.averageFrameRate);
  }

  /** Adds the next frame and gives its time in seconds. */
  add(stated: number | null): number {
    const timestamp = stated ?? this.end;
    if (this.frames === 0) this.start = timestamp;
    this.end = timestamp + this.interval;
    this.frames += 1;
    return timestamp;
  }
}

function summarise(
  info: VideoInfo,
  extent: DecodedExtent,
  log: DecodeLog,
  exitedNormally: boolean,
  options: DecodeOptions,
): DecodeSummary {
  const warnings = log.errors.length === 0 ? [] : [`${log.errorCount} decoder errors, first: ${log.errors[0]}`];
  if (!exitedNormally) warnings.push('FFmpeg ended with an error.');
  const shortfall =
    extent.frames === options.maxFrames ? null : findShortfall(info, extent, log, options.fps !== undefined);
  if (shortfall !== null) {
    warnings.push(shortfall.description);
    if (shortfall.isSevere && options.truncated !== 'accept') throw truncatedError(info, shortfall.description);
  }
  return { frames: extent.frames, complete: warnings.length === 0, warnings };
}

/** What is missing of the length that the header states, or null. */
function findShortfall(
  info: VideoInfo,
  extent: DecodedExtent,
  log: DecodeLog,
  resampled: boolean,
): { isSevere: boolean; description: string } | null {
  if (info.frameCount !== null && !resampled) {
    const stated = Math.min(info.frameCount, shownFrames(info));
    if (extent.frames >= stated) return null;
    return {
      isSevere: extent.frames < leastShare * stated && extent.frames < stated - toleratedFrames,
      description: `Only ${extent.frames} of ${stated} stated frames`,
    };
  }
  if (info.duration === null) return null;
  // Sound may go on after the last picture, so a container's duration proves nothing by itself.
  if (info.durationOf === 'container' && !log.endsEarly) return null;
  // Matroska states the end of the last frame, counted from 0.
  const seconds = info.container.includes('matroska') ? extent.end : extent.end - extent.start;
  const missing = info.duration - seconds;
  if (missing <= toleratedFrames * extent.interval) return null;
  return {
    isSevere: seconds < leastShare * info.duration,
    description: `Only ${seconds.toFixed(2)} s of ${info.duration.toFixed(2)} s stated duration`,
  };
}

/** Upper bound of the frames shown: an edit list of an MP4 can hide stored frames, and then its duration is shorter. */
function shownFrames(info: VideoInfo): number {
  if (!info.container.includes('mp4') || info.duration === null) return Infinity;
  return Math.max(1, Math.floor(info.duration * info.averageFrameRate + 0.01));
}

function truncatedError(info: VideoInfo, reason: string): VideoError {
  const hint = 'The file is damaged or was cut off; get a complete copy or remove it.';
  return new VideoError({ code: 'truncated', path: info.path, reason: `${reason}.`, hint });
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
