import {
  type DecodeSummary,
  decodeSmallVideos,
  estimateFrames,
  frames,
  type PacketTimeline,
  probeWithPackets,
  type VideoInfo,
} from '@chronotope/video';
import type { Outcome, VideoFacts } from './facts.js';
import { orFailure } from './failures.js';
import { HASH_SIDE, PerceptualHasher } from './perceptual-hash.js';

/** Limits of {@link inspectFiles}. */
export interface InspectOptions {
  /** Milliseconds that each pass over a file (header and packets, pictures) may take. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/** Decoded pixels, and bytes of the file, up to which starting a process for one video takes longer than decoding it. */
const SMALL_PIXELS = 1 << 26;
const SMALL_BYTES = 8 << 20;

/** Intervals between frames that are this much longer or shorter than the usual one are different ... */
const DIFFERENT_INTERVAL = 0.2;
/** ... and a video with more than this share of them, and more than one (a dropped frame), has a variable frame rate. */
const STEADY_SHARE = 0.01;

/** What is known of a file before its pictures are decoded. */
interface Header {
  info: VideoInfo;
  packets: PacketTimeline;
}

/** All pictures of a video, seen. */
interface Look {
  /** Seconds, on the clock of the packets. */
  timestamps: readonly number[];
  perceptualHash: string | null;
  summary: DecodeSummary;
}

/** Every frame, in the size that the perceptual hash is made from. */
const HASH_FRAMES = { size: { width: HASH_SIDE, height: HASH_SIDE } };

/**
 * Finds out all there is to know of video files: reads the header of each and walks through its packets, and decodes every
 * frame, in child processes with a time limit. Small files are decoded by one process; if it has anything to complain
 * about, each by one of its own. A file that cannot be used gives the reason.
 *
 * @returns an outcome for each path, in their order
 * @throws VideoError `aborted`, `ffmpeg-missing`
 */
export async function* inspectFiles(paths: readonly string[], options: InspectOptions): AsyncGenerator<Outcome> {
  const headers: (Header | Outcome)[] = [];
  for (const path of paths) headers.push(await orFailure(() => probeWithPackets(path, options)));
  const small = headers.filter((header) => 'info' in header).filter(isSmall);
  const looks = await lookTogether(small, options);
  for (const header of headers) {
    yield 'info' in header ? await decodeOutcome(header, looks.get(header) ?? null, options) : header;
  }
}

function decodeOutcome(header: Header, look: Look | null, options: InspectOptions): Promise<Outcome> {
  const { path: _, bytes: __, ...stated } = header.info;
  return orFailure(async () => ({
    video: factsOf(header, look ?? (await lookAlone(header, options))),
    header: stated,
  }));
}

function isSmall({ info }: Header): boolean {
  const pixels = estimateFrames(info, {}) * info.codedWidth * info.codedHeight;
  return info.bytes <= SMALL_BYTES && pixels > 0 && pixels <= SMALL_PIXELS;
}

/** What one process can see of several videos; those with any trouble are left out. */
async function lookTogether(headers: readonly Header[], options: InspectOptions): Promise<Map<Header, Look>> {
  const looks = new Map<Header, Look>();
  if (headers.length < 2) return looks;
  const infos = headers.map(({ info }) => info);
  for (const [k, video] of (await decodeSmallVideos(infos, HASH_FRAMES, options)).entries()) {
    if (video === null) continue;
    const { data } = video;
    const timestamps = video.timestamps.map((time) => time + startOf(infos[k]!));
    const hasher = hasherFor(headers[k]!);
    const bytes = data.length / timestamps.length;
    for (const [t, time] of timestamps.entries()) hasher.add(data.subarray(t * bytes, (t + 1) * bytes), time);
    const summary = { frames: timestamps.length, complete: true, warnings: [], damage: null };
    looks.set(headers[k]!, { timestamps, perceptualHash: hasher.digest(), summary });
  }
  return looks;
}

async function lookAlone(header: Header, options: InspectOptions): Promise<Look> {
  const { info } = header;
  const hasher = hasherFor(header);
  const timestamps: number[] = [];
  // One core a file: files are inspected side by side.
  const source = frames(info.path, { ...options, info, ...HASH_FRAMES, threads: 1 });
  let step = await source.next();
  for (; !step.done; step = await source.next()) {
    const time = step.value.timestamp + startOf(info);
    hasher.add(step.value.data, time);
    timestamps.push(time);
  }
  return { timestamps, perceptualHash: hasher.digest(), summary: step.value };
}

/** Time of the first frame by the header, seconds: frames are counted from there, packets are not. */
function startOf({ startPts, timeBase: [numerator, denominator] }: VideoInfo): number {
  return (startPts * numerator) / denominator;
}

function hasherFor({ info, packets }: Header): PerceptualHasher {
  const start = packets.timestamps[0] ?? info.startTime;
  const end = Math.max(packets.end, packets.timestamps.at(-1) ?? 0, start + 1 / info.averageFrameRate);
  return new PerceptualHasher({ start, end });
}

function factsOf({ info, packets }: Header, { timestamps, perceptualHash, summary }: Look): VideoFacts {
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
    decodableShare: decodableShare(summary, packets, info),
    warnings: summary.warnings,
    perceptualHash,
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
