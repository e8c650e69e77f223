import {
  type DecodeSummary,
  frames,
  type PacketTimeline,
  probeWithPackets,
  VideoError,
  type VideoErrorCode,
  type VideoInfo,
} from '@chronotope/video';
import type { Outcome, VideoFacts } from './facts.js';
import { HASH_SIDE, PerceptualHasher } from './perceptual-hash.js';

/** Limits of {@link inspectFile}. */
export interface InspectOptions {
  /** Milliseconds that each pass over the file (header and packets, pictures) may take. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/** These are not about the file, so no verdict on it follows from them. */
const notAboutTheFile: readonly VideoErrorCode[] = ['aborted', 'ffmpeg-missing', 'invalid-argument'];

/** Intervals between frames that are this much longer or shorter than the usual one are different ... */
const DIFFERENT_INTERVAL = 0.2;
/** ... and a video with more than this share of them, and more than one (a dropped frame), has a variable frame rate. */
const STEADY_SHARE = 0.01;

/**
 * Finds out all there is to know of a video file: reads its header and walks through its packets, and decodes every
 * frame, each in a child process with a time limit. A file that cannot be used gives the reason.
 *
 * @throws VideoError `aborted`, `ffmpeg-missing`
 */
export async function inspectFile(path: string, { timeoutMs, signal }: InspectOptions): Promise<Outcome> {
  try {
    const { info, packets } = await probeWithPackets(path, { timeoutMs, signal });
    return { video: await decodeFacts(info, packets, { timeoutMs, signal }) };
  } catch (error) {
    if (!(error instanceof VideoError) || notAboutTheFile.includes(error.code)) throw error;
    return { failure: { code: error.code, reason: error.reason, hint: error.hint } };
  }
}

async function decodeFacts(info: VideoInfo, packets: PacketTimeline, options: InspectOptions): Promise<VideoFacts> {
  const start = packets.timestamps[0] ?? info.startTime;
  const expectedEnd = Math.max(packets.end, packets.timestamps.at(-1) ?? 0, start + 1 / info.averageFrameRate);
  const hasher = new PerceptualHasher({ start, end: expectedEnd });
  const timestamps: number[] = [];
  // One core a file: files are inspected side by side.
  const source = frames(info.path, { ...options, info, size: { width: HASH_SIDE, height: HASH_SIDE }, threads: 1 });
  let step = await source.next();
  for (; !step.done; step = await source.next()) {
    hasher.add(step.value.data, step.value.timestamp);
    timestamps.push(step.value.timestamp);
  }
  const duration = endOfLastFrame(timestamps, packets, info) - timestamps[0]!;
  return {
    container: info.container,
    codec: info.codec,
    pixelFormat: info.pixelFormat,
    width: info.width,
    height: info.height,
    rotation: info.rotation,
    sampleAspectRatio: info.sampleAspectRatio,
    audio: packets.hasAudio,
    frames: timestamps.length,
    duration: rounded(duration),
    statedDuration: info.duration === null ? null : rounded(info.duration),
    durationOf: info.durationOf,
    startTime: rounded(timestamps[0]!),
    fps: rounded(timestamps.length / duration),
    statedFps: rounded(info.averageFrameRate),
    variableFrameRate: hasVariableRate(timestamps),
    keyframes: packets.keyframes.length,
    keyframeSpacing: rounded(longestGap(packets.keyframes, timestamps[0]!, timestamps[0]! + duration)),
    decodableShare: decodableShare(step.value, packets, info),
    warnings: step.value.warnings,
    perceptualHash: hasher.digest(),
  };
}

/** When the last decoded frame ends. The container tells it if that frame is the last there is. */
function endOfLastFrame(timestamps: readonly number[], packets: PacketTimeline, info: VideoInfo): number {
  const last = timestamps.at(-1)!;
  const usual = usualInterval(timestamps) ?? 1 / info.averageFrameRate;
  const isLastPacket = Math.abs(last - (packets.timestamps.at(-1) ?? Number.NaN)) < usual / 2;
  return isLastPacket && packets.end > last ? packets.end : last + usual;
}

function hasVariableRate(timestamps: readonly number[]): boolean {
  const usual = usualInterval(timestamps);
  if (usual === null) return false;
  const all = intervals(timestamps);
  // Containers that count milliseconds round each time stamp by up to half of one.
  const tolerance = Math.max(DIFFERENT_INTERVAL * usual, 0.0015);
  const different = all.filter((interval) => Math.abs(interval - usual) > tolerance).length;
  return different > Math.max(1, STEADY_SHARE * all.length);
}

/** The median time between two frames; null with fewer than two. */
function usualInterval(timestamps: readonly number[]): number | null {
  const sorted = intervals(timestamps).sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  return middle === undefined || middle <= 0 ? null : middle;
}

function intervals(timestamps: readonly number[]): number[] {
  return timestamps.slice(1).map((time, i) => time - timestamps[i]!);
}

function longestGap(keyframes: Float64Array, start: number, end: number): number {
  const marks = [...keyframes.filter((time) => time > start), end];
  return marks.reduce((gap, mark, i) => Math.max(gap, mark - (marks[i - 1] ?? start)), 0);
}

/** Frames that a packet or the header announces may be hidden on purpose, so only a noticed defect counts. */
function decodableShare(summary: DecodeSummary, packets: PacketTimeline, info: VideoInfo): number {
  if (summary.complete) return 1;
  return rounded(
    Math.min(1, summary.frames / Math.max(packets.timestamps.length, info.frameCount ?? 0, summary.frames)),
  );
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
