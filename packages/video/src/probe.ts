import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ChildLimits, runToEnd } from './children.js';
import { systemErrorCode, VideoError, type VideoErrorCode } from './errors.js';
import { findFfmpeg } from './ffmpeg.js';
import { findIndexDefect } from './mp4-boxes.js';
import { askProber } from './prober.js';

/** What the header of a video file states about its first video stream (cover pictures do not count). */
export interface VideoInfo {
  /** Absolute path. */
  path: string;
  /** Names of the container format as FFmpeg calls it, such as `mov,mp4,m4a,3gp,3g2,mj2`. */
  container: string;
  /** Name of the codec as FFmpeg calls it, such as `h264`. */
  codec: string;
  /** Width in pixels as displayed: after rotation, with square pixels. */
  width: number;
  /** Height in pixels as displayed: after rotation, with square pixels. */
  height: number;
  /** Width in pixels as stored. */
  codedWidth: number;
  /** Height in pixels as stored. */
  codedHeight: number;
  /** Degrees, clockwise, by which the stored picture is turned for display, in [0, 360). */
  rotation: number;
  /** Width of a stored pixel divided by its height; 1 when not stated. */
  sampleAspectRatio: number;
  /** Nominal frames per second (the finest step of the time stamps; very high for some variable-rate files). */
  frameRate: number;
  /** Average frames per second. */
  averageFrameRate: number;
  /** Seconds, or null when not stated. */
  duration: number | null;
  /** Whether `duration` belongs to the video stream, or to the whole file with its sound; null without a duration. */
  durationOf: 'stream' | 'container' | null;
  /** Frames as stated by the header, or null. */
  frameCount: number | null;
  /** Presentation time of the first frame in seconds; 0 when not stated. */
  startTime: number;
  /** Presentation time of the first frame in units of `timeBase`; 0 when not stated. */
  startPts: number;
  /** Seconds of one unit of presentation time, as numerator and denominator. */
  timeBase: readonly [numerator: number, denominator: number];
  /** Pixel format as FFmpeg calls it, such as `yuv420p`. */
  pixelFormat: string;
  /** Size of the file. */
  bytes: number;
}

/** Options of {@link probe}. */
export interface ProbeOptions extends Partial<ChildLimits> {
  /** Milliseconds for reading the header. Default 30,000. */
  timeoutMs?: number;
}

/** Arguments that make FFmpeg read this local file, whatever characters its path has, and never the network. */
export function inputArguments(path: string): string[] {
  return ['-protocol_whitelist', 'file', '-i', `file:${path}`];
}

/**
 * Reads the header of a local video file.
 *
 * Throws {@link VideoError}: `not-found`, `not-a-file`, `unreadable`, `empty-file`, `not-a-video`, `no-video-stream`,
 * `undecodable`, `truncated` (an MP4 whose index is missing or cut off), `timeout`, `aborted`, `ffmpeg-missing`, `ffmpeg-too-old`.
 */
export async function probe(path: string, { timeoutMs = 30_000, signal }: ProbeOptions = {}): Promise<VideoInfo> {
  const absolute = resolve(path);
  const bytes = await sizeOfReadableFile(absolute);
  const known = await askForHeader(absolute, { timeoutMs, signal });
  if (known !== null) return describeReadHeader(absolute, bytes, known);
  const { ffprobe } = await findFfmpeg();
  const args = ['-v', 'error', '-print_format', 'json', '-select_streams', 'V:0', '-show_streams', '-show_format'];
  const result = await runToEnd(ffprobe, [...args, ...inputArguments(absolute)], { path: absolute, timeoutMs, signal });
  try {
    if (result.killedBy !== null)
      throw undecodableError(absolute, `ffprobe crashed on this file (${result.killedBy}).`);
    if (result.exitCode !== 0) throw await unreadableHeaderError(absolute, result.stderr);
    return describeHeader(absolute, bytes, parseHeader(absolute, result.stdout));
  } catch (error) {
    throw await withBrokenIndex(absolute, error);
  }
}

/** Characters; files that state more streams than fit are for `ffprobe`, whose output is cut off, to refuse. */
const longestHeader = 4 << 20;

/** What the resident prober says of a file; null where that is for `ffprobe` to say. */
async function askForHeader(path: string, limits: ChildLimits): Promise<ProbeJson | null> {
  let json = '';
  const answered = await askProber('header', path, limits, (line) => {
    if (json.length + line.length <= longestHeader) json += line;
  });
  return answered && json !== '' ? parseHeader(path, json) : null;
}

/** As {@link describeHeader}; an MP4 that was cut off inside its index is `truncated`. */
export async function describeReadHeader(path: string, bytes: number, header: ProbeJson): Promise<VideoInfo> {
  try {
    return describeHeader(path, bytes, header);
  } catch (error) {
    throw await withBrokenIndex(path, error);
  }
}

/**
 * What `ffprobe` says about the first video stream of a file.
 *
 * Throws {@link VideoError}: `not-a-video` (a playlist), `no-video-stream`, `undecodable`.
 */
export function describeHeader(path: string, bytes: number, { streams, format = {} }: ProbeJson): VideoInfo {
  refusePlaylist(path, format.format_name ?? '');
  const stream = streams?.find(isMovingPicture);
  if (stream === undefined) throw noVideoStreamError(path);
  return describeStream(path, bytes, stream, format);
}

/** Whether a stream is video, and no cover picture. */
export function isMovingPicture({ codec_type, disposition }: ProbeStream): boolean {
  return codec_type === 'video' && disposition?.attached_pic !== 1;
}

/** Size in bytes of a regular file that can be read and is not empty; throws the matching {@link VideoError} otherwise. */
export async function sizeOfReadableFile(path: string): Promise<number> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) {
      const reason = stats.isDirectory() ? 'This is a folder.' : 'This is not a regular file.';
      throw new VideoError({ code: 'not-a-file', path, reason, hint: 'Give the path of a video file.' });
    }
    await access(path, constants.R_OK);
    if (stats.size > 0) return stats.size;
  } catch (error) {
    if (error instanceof VideoError) throw error;
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) {
      const hint = 'Check the path; relative paths start at the current folder.';
      throw new VideoError({ code: 'not-found', path, reason: 'There is no such file.', hint, cause: error });
    }
    const hint = 'Check that this user may read the file and its folder.';
    throw new VideoError({ code: 'unreadable', path, reason: 'The file cannot be opened.', hint, cause: error });
  }
  const hint = 'Copy or download the video again, or remove it.';
  throw new VideoError({ code: 'empty-file', path, reason: 'The file has zero bytes.', hint });
}

function parseHeader(path: string, json: string): ProbeJson {
  try {
    return JSON.parse(json) as ProbeJson;
  } catch (cause) {
    throw undecodableError(path, 'Its header is too large or damaged.', `${cause}`);
  }
}

/** The output of `ffprobe`, as far as it is used. */
export interface ProbeJson {
  streams?: ProbeStream[];
  format?: ProbeFormat;
}

interface ProbeFormat {
  format_name?: string;
  duration?: string;
}

interface ProbeStream {
  index?: number;
  codec_type?: string;
  disposition?: { attached_pic?: number };
  codec_name?: string;
  width?: number;
  height?: number;
  sample_aspect_ratio?: string;
  pix_fmt?: string;
  r_frame_rate?: string;
  avg_frame_rate?: string;
  start_time?: string;
  start_pts?: number;
  time_base?: string;
  duration?: string;
  nb_frames?: string;
  tags?: Record<string, string>;
  side_data_list?: { rotation?: number }[];
}

/** No picture has more than 16,384 x 16,384 pixels; a header that states more is damaged. */
export const mostPixels = 2 ** 28;

function describeStream(path: string, bytes: number, stream: ProbeStream, format: ProbeFormat): VideoInfo {
  const codedWidth = stream.width ?? 0;
  const codedHeight = stream.height ?? 0;
  if (codedWidth <= 0 || codedHeight <= 0) {
    throw undecodableError(path, 'The header states no picture size; the codec may be unknown or the stream damaged.');
  }
  const rotation = clockwiseRotation(stream);
  const sampleAspectRatio = parseRatio(stream.sample_aspect_ratio, ':') ?? 1;
  const displayed = displayedSize(codedWidth, codedHeight, sampleAspectRatio, rotation);
  if (displayed.width * displayed.height > mostPixels) {
    throw undecodableError(path, `The header states a picture of ${displayed.width} x ${displayed.height} pixels.`);
  }
  const nominalRate = parseRatio(stream.r_frame_rate, '/');
  const averageRate = parseRatio(stream.avg_frame_rate, '/');
  const streamDuration = positive(stream.duration) ?? parseClock(stream.tags?.DURATION);
  const duration = streamDuration ?? positive(format.duration);
  return {
    path,
    container: format.format_name ?? 'unknown',
    codec: stream.codec_name ?? 'unknown',
    ...displayed,
    codedWidth,
    codedHeight,
    rotation,
    sampleAspectRatio,
    frameRate: nominalRate ?? averageRate ?? 25,
    averageFrameRate: averageRate ?? nominalRate ?? 25,
    duration,
    durationOf: duration === null ? null : streamDuration === null ? 'container' : 'stream',
    frameCount: positive(stream.nb_frames),
    startTime: Number(stream.start_time ?? 0) || 0,
    startPts: stream.start_pts ?? 0,
    timeBase: parseTimeBase(stream.time_base),
    pixelFormat: stream.pix_fmt ?? 'unknown',
    bytes,
  };
}

/**
 * Size as displayed. The shorter side of a non-square pixel is stretched, so no line or column is lost. Ratios within 1 %
 * of square come from rounding when the file was made; resampling for their sake would only blur.
 */
function displayedSize(
  codedWidth: number,
  codedHeight: number,
  sampleAspectRatio: number,
  rotation: number,
): { width: number; height: number } {
  const ratio = Math.abs(sampleAspectRatio - 1) < 0.01 ? 1 : sampleAspectRatio;
  const width = Math.max(1, Math.round(codedWidth * Math.max(ratio, 1)));
  const height = Math.max(1, Math.round(codedHeight / Math.min(ratio, 1)));
  return rotation === 90 || rotation === 270 ? { width: height, height: width } : { width, height };
}

// The display matrix states counter-clockwise degrees.
function clockwiseRotation(stream: ProbeStream): number {
  const counterClockwise = stream.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0;
  return (((-counterClockwise % 360) + 360) % 360) + 0;
}

function parseRatio(text: string | undefined, separator: string): number | null {
  const [numerator, denominator] = (text ?? '').split(separator).map(Number);
  if (!numerator || !denominator) return null;
  return numerator / denominator;
}

function parseTimeBase(text: string | undefined): [number, number] {
  const [numerator, denominator] = (text ?? '').split('/').map(Number);
  return numerator && denominator ? [numerator, denominator] : [1, 1_000_000];
}

function parseClock(text: string | undefined): number | null {
  const match = /^(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(text ?? '');
  if (match === null) return null;
  return positive(String(Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3])));
}

function positive(text: string | undefined): number | null {
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : null;
}

/** Formats whose pictures are in other files: the frames of another video must never pass for those of this one. */
const playlistFormats = new Set(['concat', 'dash', 'hls', 'image2', 'imf', 'sdp', 'webm_dash_manifest']);

function refusePlaylist(path: string, container: string): void {
  const format = container.split(',').find((name) => playlistFormats.has(name));
  if (format === undefined) return;
  const reason = `This is no video but a list of other files (${format}).`;
  throw new VideoError({ code: 'not-a-video', path, reason, hint: 'Use the files themselves, or rename this one.' });
}

async function unreadableHeaderError(path: string, stderr: string): Promise<VideoError> {
  if (/moov atom not found/i.test(stderr) && (await findIndexDefect(path)) === 'missing') {
    return cutOffError(path, 'The index at the end of the file is missing.');
  }
  return new VideoError({
    code: 'not-a-video',
    path,
    reason: withLastLine(path, 'FFmpeg cannot read this file as a video.', stderr),
    hint: 'Check that it plays; if it does not, get a good copy or remove it.',
  });
}

/** What FFmpeg makes of an MP4 file that was cut off inside its index, which depends on where. */
const brokenIndexCodes: readonly VideoErrorCode[] = ['not-a-video', 'no-video-stream', 'undecodable'];

/** The error again, or `truncated` where the file ends inside its index and can for that reason not be read. */
export async function withBrokenIndex(path: string, error: unknown): Promise<unknown> {
  if (!(error instanceof VideoError) || !brokenIndexCodes.includes(error.code)) return error;
  if ((await findIndexDefect(path)) !== 'incomplete') return error;
  return cutOffError(path, 'The file ends inside its index.');
}

function cutOffError(path: string, reason: string): VideoError {
  const hint = 'The file was cut off while it was written or copied; get a complete copy.';
  return new VideoError({ code: 'truncated', path, reason, hint });
}

/** The `undecodable` error; `details` is FFmpeg's own output, of which the last line is shown. */
export function undecodableError(path: string, reason: string, details = ''): VideoError {
  return new VideoError({
    code: 'undecodable',
    path,
    reason: withLastLine(path, reason, details),
    hint: 'Check that it plays; convert it with FFmpeg or remove it.',
  });
}

function withLastLine(path: string, reason: string, details: string): string {
  const lastLine = details.trim().split('\n').at(-1)?.replace(`file:${path}: `, '').slice(0, 300) ?? '';
  return lastLine === '' ? reason : `${reason} (${lastLine})`;
}

function noVideoStreamError(path: string): VideoError {
  const hint = 'Sound-only files cannot be used; remove it from the videos.';
  return new VideoError({ code: 'no-video-stream', path, reason: 'The file has no video stream.', hint });
}
