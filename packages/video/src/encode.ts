import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, rename, rm, stat } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { ChildGuard, type ChildLimits, collectText, cpuSecondsLimit, startChild } from './children.js';
import type { VideoFrame } from './decode.js';
import { diskFullError, VideoError } from './errors.js';
import { findFfmpeg } from './ffmpeg.js';
import { uniqueSuffix } from './temporary-files.js';

/** How frames become a video file. */
export interface EncodeOptions extends Partial<ChildLimits> {
  width: number;
  height: number;
  /** Frames per second. */
  fps: number;
  /** FFmpeg encoder. Default `libx264`. */
  codec?: string;
  /** Constant rate factor of the encoder; lower is better and larger. Default: the encoder's own. */
  crf?: number;
  /** Most frames between key frames. Default: the encoder's own. */
  keyframeInterval?: number;
  /** Pixel format of the file; `yuv420p` needs an even width and height. Default `yuv420p`. */
  pixelFormat?: string;
  /** Milliseconds FFmpeg may take; the time the frames take to arrive is not counted. Default 300,000. */
  timeoutMs?: number;
}

/** Frames one by one. */
export type FrameSource = AsyncIterable<Uint8Array | VideoFrame> | Iterable<Uint8Array | VideoFrame>;

/**
 * Writes frames as a video file; the container follows from the extension. The file appears under its name only when it
 * is complete, and replaces one that was there.
 *
 * `frames`: uint8 R,G,B, `[T, H, W, 3]` in one array, or an iterable of arrays `[H, W, 3]` or of {@link VideoFrame}s.
 * The next frame is asked for when the encoder can take it.
 *
 * Throws {@link VideoError}: `invalid-argument` (wrong array size, no frame, odd size with subsampled colour),
 * `unwritable`, `encode-failed`, `disk-full`, `timeout`, `aborted`, `ffmpeg-missing`. An error thrown by the iterable is
 * passed on.
 */
export async function encode(frames: Uint8Array | FrameSource, path: string, options: EncodeOptions): Promise<void> {
  const source = frames instanceof Uint8Array ? splitFrames(frames, path, options) : frames;
  await encodeFiles(source, [{ path, frames: Number.POSITIVE_INFINITY }], options);
}

/** A file of {@link encodeParts}. */
export interface EncodedPart {
  path: string;
  /** How many frames it gets. */
  frames: number;
}

/**
 * Cuts a stream of frames into several video files that one FFmpeg process writes: starting a process takes longer than
 * writing a short video. Each file is what {@link encode} would write of its frames. All appear under their names when
 * the last one is complete.
 *
 * Throws {@link VideoError} as {@link encode} does, naming the first file; `invalid-argument` also when the stream does
 * not have as many frames as the parts.
 */
export async function encodeParts(
  frames: FrameSource,
  parts: readonly EncodedPart[],
  options: EncodeOptions,
): Promise<void> {
  const wanted = parts.reduce((sum, part) => sum + part.frames, 0);
  if (parts.every((part) => Number.isInteger(part.frames) && part.frames >= 1)) {
    if (parts.length > 0) await encodeFiles(exactly(wanted, frames, parts[0]!.path), parts, options);
    return;
  }
  const hint = 'Give each part a whole number of frames of at least 1.';
  throw new VideoError({ code: 'invalid-argument', path: parts[0]!.path, reason: 'A part has no frames.', hint });
}

async function encodeFiles(frames: FrameSource, parts: readonly EncodedPart[], options: EncodeOptions): Promise<void> {
  const { ffmpeg } = await findFfmpeg();
  const files: EncodedFile[] = [];
  for (const part of parts) {
    checkSize(part.path, options);
    const target = resolve(part.path);
    await requireWritable(target);
    // The extension must stay at the end: FFmpeg takes the container from it.
    files.push({ ...part, target, temporary: join(dirname(target), `.${uniqueSuffix()}${extname(target)}`) });
  }
  try {
    await runEncoder(ffmpeg, frames, files, options);
    for (const { temporary, target } of files) await rename(temporary, target);
  } finally {
    await Promise.all(files.map(({ temporary }) => rm(temporary, { force: true })));
  }
}

interface EncodedFile extends EncodedPart {
  target: string;
  /** Name until all files are complete. */
  temporary: string;
}

async function* exactly(count: number, frames: FrameSource, path: string): AsyncGenerator<Uint8Array | VideoFrame> {
  let given = 0;
  for await (const frame of frames) {
    given += 1;
    if (given <= count) yield frame;
  }
  if (given === count) return;
  const reason = `The parts have ${count} frames, and the stream has ${given}.`;
  const hint = 'Give the parts as many frames as there are.';
  throw new VideoError({ code: 'invalid-argument', path, reason, hint });
}

async function requireWritable(target: string): Promise<void> {
  try {
    await access(dirname(target), constants.W_OK);
    const stats = await stat(target).catch(() => null);
    if (stats === null || stats.isFile()) return;
  } catch (cause) {
    const reason = `Its folder cannot be written (${(cause as Error).message}).`;
    const hint = 'Check that the folder exists and that this user may write there.';
    throw new VideoError({ code: 'unwritable', path: target, reason, hint, cause });
  }
  const reason = 'There is something else of this name, such as a folder.';
  throw new VideoError({ code: 'unwritable', path: target, reason, hint: 'Choose another name.' });
}

async function runEncoder(
  ffmpeg: string,
  source: FrameSource,
  files: readonly EncodedFile[],
  options: EncodeOptions,
): Promise<void> {
  const { target } = files[0]!;
  const child = startChild(ffmpeg, encodeArguments(files, options), { stdin: 'pipe' });
  const guard = new ChildGuard(child, target, { timeoutMs: options.timeoutMs ?? 300_000, signal: options.signal });
  const stderr = collectText(child.stderr!, 64 << 10);
  child.stdout!.resume();
  const stdin = child.stdin!;
  // The encoder may end before it has read everything; its exit code and messages then tell why.
  stdin.on('error', () => {});
  let written = 0;
  try {
    guard.pause();
    for await (const item of source) {
      guard.resume();
      const frame = item instanceof Uint8Array ? item : item.data;
      if (frame.length !== frameBytes(options)) throw wrongFrameSize(target, frame.length, options);
      if (stdin.destroyed || !(await writeAll(stdin, frame, guard))) break;
      written += 1;
      guard.pause();
    }
    guard.resume();
    stdin.end();
    const { exitCode } = await guard.ended;
    guard.throwIfStopped();
    if (written === 0 && !stdin.errored) {
      const hint = 'Pass at least one frame.';
      throw new VideoError({ code: 'invalid-argument', path: target, reason: 'There is no frame to write.', hint });
    }
    // Some versions end normally although the last bytes did not fit.
    if (exitCode !== 0 || saysDiskFull(stderr())) throw encoderError(target, stderr(), options);
  } finally {
    guard.release();
    stdin.destroy();
    await guard.ended;
  }
}

/** Writes one frame and waits until the encoder can take more; false if the encoder has ended. */
async function writeAll(stdin: Writable, frame: Uint8Array, guard: ChildGuard): Promise<boolean> {
  if (stdin.write(frame)) return true;
  const drained = once(stdin, 'drain').then(
    () => true,
    () => false,
  );
  return Promise.race([drained, guard.ended.then(() => false)]);
}

function encodeArguments(files: readonly EncodedFile[], options: EncodeOptions): string[] {
  const { width, height, fps, codec = 'libx264', crf, keyframeInterval, pixelFormat = 'yuv420p' } = options;
  const output = [
    ...['-c:v', codec, '-pix_fmt', pixelFormat],
    ...(crf === undefined ? [] : ['-crf', String(crf)]),
    ...(keyframeInterval === undefined ? [] : ['-g', String(keyframeInterval)]),
    ...['-fflags', '+bitexact', '-flags:v', '+bitexact'],
  ];
  let first = 0;
  const outputs = files.flatMap(({ frames, temporary }) => {
    const trim = `trim=start_frame=${first}:end_frame=${first + frames},setpts=PTS-STARTPTS`;
    first += frames;
    return [...(files.length === 1 ? [] : ['-map', '0:v', '-vf', trim]), ...output, `file:${temporary}`];
  });
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error', '-y', '-protocol_whitelist', 'pipe'],
    ...['-timelimit', String(cpuSecondsLimit(options.timeoutMs ?? 300_000))],
    ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-video_size', `${width}x${height}`, '-framerate', String(fps)],
    ...['-i', 'pipe:0', ...outputs],
  ];
}

function checkSize(path: string, { width, height, fps, pixelFormat = 'yuv420p' }: EncodeOptions): void {
  if (![width, height].every((side) => Number.isInteger(side) && side >= 1) || !(fps > 0)) {
    const reason = `A video of ${width} x ${height} pixels with ${fps} frames per second is not possible.`;
    const hint = 'Give whole numbers of pixels and a frame rate above 0.';
    throw new VideoError({ code: 'invalid-argument', path, reason, hint });
  }
  const oddWidth = width % 2 === 1 && /42[02]p/.test(pixelFormat);
  const oddHeight = height % 2 === 1 && /420p/.test(pixelFormat);
  if (!oddWidth && !oddHeight) return;
  throw new VideoError({
    code: 'invalid-argument',
    path,
    reason: `${width} x ${height} pixels cannot be written as ${pixelFormat}, which shares colour between neighbours.`,
    hint: "Use an even width and height, or pixelFormat: 'yuv444p'.",
  });
}

function frameBytes({ width, height }: EncodeOptions): number {
  return width * height * 3;
}

function* splitFrames(data: Uint8Array, path: string, options: EncodeOptions): Generator<Uint8Array> {
  const size = frameBytes(options);
  if (data.length % size !== 0) throw wrongFrameSize(path, data.length, options);
  for (let offset = 0; offset < data.length; offset += size) yield data.subarray(offset, offset + size);
}

function wrongFrameSize(path: string, length: number, options: EncodeOptions): VideoError {
  const { width, height } = options;
  return new VideoError({
    code: 'invalid-argument',
    path,
    reason: `${length} bytes are no whole number of frames of ${width} x ${height} x 3 = ${frameBytes(options)} bytes.`,
    hint: 'Frames are uint8 R,G,B in the order [height, width, 3].',
  });
}

function saysDiskFull(stderr: string): boolean {
  return /No space left on device|Disk quota exceeded/i.test(stderr);
}

function encoderError(path: string, stderr: string, { codec = 'libx264' }: EncodeOptions): VideoError {
  if (saysDiskFull(stderr)) return diskFullError(path);
  const firstLine = stderr.trim().split('\n')[0]?.slice(0, 300) ?? '';
  const hint = /Unknown encoder/i.test(stderr)
    ? `This FFmpeg has no ${codec}; install a full build or choose another codec.`
    : 'Check the folder, the extension and the codec.';
  return new VideoError({ code: 'encode-failed', path, reason: `FFmpeg could not write it (${firstLine}).`, hint });
}
