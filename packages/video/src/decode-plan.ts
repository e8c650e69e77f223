import { cpuSecondsLimit } from './children.js';
import { invalidArgument } from './errors.js';
import { type FfmpegPrograms, passthroughArguments } from './ffmpeg.js';
import { inputArguments, mostPixels, type VideoInfo } from './probe.js';

/** Which frames of a video, and in which size. */
export interface FrameSelection {
  /** First moment that is wanted, in seconds from the start of the video. Excludes `startFrame`. Default: the start. */
  start?: number;
  /** First moment that is not wanted any more, in seconds from the start of the video. Default: the end. */
  end?: number;
  /** Number of the first frame that is wanted, counted from 0 in the order of presentation. Excludes `start`, `fps`. */
  startFrame?: number;
  /** Only every `stride`-th frame, beginning with the first one wanted. Excludes `fps`. Default 1. */
  stride?: number;
  /**
   * An even frame rate: picture k is the one that a player shows at `start + k / fps`, so pictures are repeated or left
   * out as needed. Default: every frame of the file exactly once.
   */
  fps?: number;
  /** Stop after this many frames. Default: all. */
  maxFrames?: number;
  /** Scale so that the shorter displayed side has this many pixels, keeping the shape. Excludes `size`. */
  shortSide?: number;
  /** Scale to exactly this size. Excludes `shortSide`. Default: the displayed size. */
  size?: { width: number; height: number };
}

/** An even row of moments `originPts + k * ticksPerSlot` (k = 0, 1, ...) in units of the video's time base. */
export interface Slots {
  originPts: number;
  ticksPerSlot: number;
}

/** What FFmpeg is told to do for a {@link FrameSelection}. */
export interface DecodePlan {
  width: number;
  height: number;
  /** Filters, in order. */
  filters: string[];
  /** Most frames to deliver; undefined for all. */
  maxFrames: number | undefined;
  /** Whether every decoded frame is delivered. */
  deliversAll: boolean;
  /** The even times of a resampled video; null when frames keep their own. */
  slots: Slots | null;
  /** First wanted presentation time, in units of the time base; null when all from the first frame on are wanted. */
  firstPts: number | null;
  /** Whether a jump to the key frame before `firstPts` is worth trying. */
  canSeek: boolean;
}

/** Names of the filters that print time stamps into FFmpeg's log. */
export const decodedMark = 'metadata@decoded';

/** The same for the frames that are handed on. */
export const deliveredMark = 'metadata@delivered';

/**
 * Containers with an index of key frames and a presentation time for every frame. In others (AVI, MPEG program streams,
 * raw streams) FFmpeg guesses times from what it has decoded before, so only decoding from the beginning is exact.
 */
const seekableContainers = ['mp4', 'matroska'];

/** Turns a selection into filters and arguments. Throws `invalid-argument`. */
export function planDecode(info: VideoInfo, selection: FrameSelection): DecodePlan {
  checkSelection(selection);
  const { start, end, startFrame, stride, fps } = selection;
  const { width, height } = targetSize(info, selection);
  const firstPts = start === undefined ? null : ticksAtOrAfter(info, start);
  const endPts = end === undefined ? null : ticksAtOrAfter(info, end);
  const rate = fps === undefined ? null : asRatio(fps);
  const slots = rate === null ? null : slotsFrom(info, start ?? 0, rate);
  const choice = [
    ...(rate === null ? trimFilters({ firstPts, endPts, startFrame }) : []),
    ...(stride === undefined || stride === 1 ? [] : [`select=not(mod(n\\,${stride}))`]),
    ...(rate === null ? [] : evenRateFilters(info, start ?? 0, rate)),
  ];
  const print = (mark: string): string => `${mark}=mode=print:key=chronotope`;
  return {
    width,
    height,
    filters: [
      'metadata=mode=add:key=chronotope:value=frame',
      print(decodedMark),
      ...choice,
      `scale=${width}:${height}:flags=bicubic`,
      ...(choice.length === 0 ? [] : [print(deliveredMark)]),
    ],
    maxFrames: mostFrames(selection, rate),
    deliversAll: choice.length === 0,
    slots,
    firstPts,
    canSeek: firstPts !== null && firstPts > info.startPts && isSeekable(info),
  };
}

/** Arguments of `ffmpeg` for a plan; with `seek`, decoding begins at the key frame before the first wanted frame. */
export function decodeArguments(
  info: VideoInfo,
  plan: DecodePlan,
  programs: FfmpegPrograms,
  { seek, threads, timeoutMs }: { seek: boolean; threads: number | undefined; timeoutMs: number },
): string[] {
  const seconds = secondsOf(info, plan.firstPts ?? 0);
  return [
    ...commonArguments(timeoutMs),
    ...(threads === undefined ? [] : ['-threads', String(threads)]),
    ...filterArguments(info),
    ...(seek ? ['-seek_timestamp', '1', '-noaccurate_seek', '-ss', seconds.toFixed(6)] : []),
    ...inputArguments(info.path),
    ...outputArguments(plan, programs, { input: 0, filters: plan.filters, target: 'pipe:1' }),
  ];
}

/**
 * Arguments of `ffmpeg` that decode several videos, each from its beginning into a file of its own; a video that is named
 * several times is decoded once. The marks of frames in the log bear the number of the file, such as `metadata@decoded3`.
 */
export function decodeTogetherArguments(
  videos: readonly { info: VideoInfo; plan: DecodePlan; file: string }[],
  programs: FfmpegPrograms,
  { timeoutMs }: { timeoutMs: number },
): string[] {
  const inputs = [...new Map(videos.map(({ info }) => [info.path, info])).values()];
  const inputOf = new Map(inputs.map(({ path }, input) => [path, input]));
  return [
    ...commonArguments(timeoutMs),
    '-y',
    ...inputs.flatMap((info) => ['-threads', '1', ...filterArguments(info), ...inputArguments(info.path)]),
    ...videos.flatMap(({ info, plan, file }, number) => {
      const filters = plan.filters.map((filter) => withNumber(filter, number));
      return outputArguments(plan, programs, { input: inputOf.get(info.path)!, filters, target: `file:${file}` });
    }),
  ];
}

/** A filter with the number of its file in its mark, if it has one: `metadata@decoded=…` becomes `metadata@decoded3=…`. */
function withNumber(filter: string, number: number): string {
  const mark = [decodedMark, deliveredMark].find((name) => filter.startsWith(`${name}=`));
  return mark === undefined ? filter : `${mark}${number}${filter.slice(mark.length)}`;
}

function commonArguments(timeoutMs: number): string[] {
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'repeat+level+info', '-copyts'],
    ...['-timelimit', String(cpuSecondsLimit(timeoutMs))],
  ];
}

/**
 * A new picture size in mid-stream must not start the filters, and with them the counting, again. The rotation filters
 * cannot live with that.
 */
function filterArguments({ rotation }: VideoInfo): string[] {
  return rotation === 0 ? ['-reinit_filter', '0'] : [];
}

function outputArguments(
  { maxFrames }: DecodePlan,
  { version }: FfmpegPrograms,
  { input, filters, target }: { input: number; filters: readonly string[]; target: string },
): string[] {
  return [
    ...['-map', `${input}:V:0`, '-vf', filters.join(',')],
    ...passthroughArguments(version),
    ...(maxFrames === undefined ? [] : ['-frames:v', String(maxFrames)]),
    ...['-enc_time_base', '1:1000000', '-f', 'rawvideo', '-pix_fmt', 'rgb24', target],
  ];
}

/** Seconds of a number of time base units. */
export function secondsOf({ timeBase: [numerator, denominator] }: VideoInfo, ticks: number): number {
  return (ticks * numerator) / denominator;
}

/** Size of the frames that decoding delivers. Throws `invalid-argument`. */
export function targetSize(
  info: VideoInfo,
  { shortSide, size }: Pick<FrameSelection, 'shortSide' | 'size'>,
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
  if (width * height > mostPixels) {
    throw invalidArgument(`Frames of ${width} x ${height} pixels are too large.`, 'Give a smaller size.');
  }
  return { width, height };
}

/** Frames that a selection will probably have; 0 when the header does not tell. */
export function estimateFrames(info: VideoInfo, selection: FrameSelection): number {
  const { start = 0, end = Infinity, startFrame = 0, stride = 1, fps, maxFrames = Infinity } = selection;
  const seconds = Math.max(0, Math.min(end, info.duration ?? 0) - start);
  const fromDuration = Math.ceil(seconds * (fps ?? info.averageFrameRate));
  const isWindow = start > 0 || end < Infinity;
  const stated = fps !== undefined || isWindow ? fromDuration : (info.frameCount ?? fromDuration);
  // No frame takes less than a byte, whatever a damaged header states.
  const own = Math.max(0, Math.min(stated, fps === undefined ? info.bytes : Infinity) - startFrame);
  return Math.min(Math.ceil(own / stride), maxFrames);
}

/** A size with the same shape whose shorter side has this many pixels. */
export function scaleToShortSide(
  { width, height }: { width: number; height: number },
  shortSide: number,
): { width: number; height: number } {
  const scale = shortSide / Math.min(width, height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

function isSeekable({ container }: VideoInfo): boolean {
  return container.split(',').some((name) => seekableContainers.includes(name));
}

/** First presentation time at or after a moment. A time stamp that was handed out selects its own frame again. */
function ticksAtOrAfter(info: VideoInfo, seconds: number): number {
  const [numerator, denominator] = info.timeBase;
  return info.startPts + Math.ceil((seconds * denominator) / numerator - 1e-3);
}

/** How many times finer than the file's time base (at most a microsecond) even moments are placed. */
function refinement({ timeBase: [numerator, denominator] }: VideoInfo): number {
  return Math.max(1, Math.ceil((1e6 * numerator) / denominator));
}

function slotsFrom(info: VideoInfo, start: number, rate: readonly [number, number]): Slots {
  const [numerator, denominator] = info.timeBase;
  const finer = refinement(info);
  return {
    originPts: info.startPts + Math.round((start * denominator * finer) / numerator) / finer,
    ticksPerSlot: (rate[1] * denominator) / (rate[0] * numerator),
  };
}

function evenRateFilters(info: VideoInfo, start: number, rate: readonly [number, number]): string[] {
  const [numerator, denominator] = info.timeBase;
  const finer = refinement(info);
  const origin = Math.round(slotsFrom(info, start, rate).originPts * finer);
  const evenly = `fps=fps=${rate.join('/')}:start_time=0:round=up`;
  return [`settb=${numerator}/${denominator * finer}`, `setpts=PTS-(${origin})`, evenly];
}

function trimFilters(window: {
  firstPts: number | null;
  endPts: number | null;
  startFrame: number | undefined;
}): string[] {
  const { firstPts, endPts, startFrame } = window;
  const parts = [
    ...(firstPts === null ? [] : [`start_pts=${firstPts}`]),
    ...(startFrame === undefined || startFrame === 0 ? [] : [`start_frame=${startFrame}`]),
    ...(endPts === null ? [] : [`end_pts=${endPts}`]),
  ];
  return parts.length === 0 ? [] : [`trim=${parts.join(':')}`];
}

function mostFrames({ start = 0, end, maxFrames }: FrameSelection, rate: readonly [number, number] | null) {
  if (rate === null || end === undefined) return maxFrames;
  return Math.min(maxFrames ?? Infinity, Math.max(1, Math.ceil(((end - start) * rate[0]) / rate[1] - 1e-6)));
}

/** The simplest fraction within a billionth of a frame rate, as FFmpeg takes it: both parts at most 1,001,000. */
function asRatio(value: number): [numerator: number, denominator: number] {
  let [before, beforeDenominator, numerator, denominator] = [0, 1, 1, 0];
  for (let rest = value; ; rest = 1 / (rest - Math.floor(rest))) {
    const whole = Math.floor(rest);
    const next = [whole * numerator + before, whole * denominator + beforeDenominator] as const;
    if (Math.max(...next) > 1_001_000) return [numerator, denominator];
    [before, beforeDenominator, numerator, denominator] = [numerator, denominator, ...next];
    if (Math.abs(numerator / denominator - value) <= 1e-9 * value) return [numerator, denominator];
  }
}

function checkSelection(selection: FrameSelection): void {
  const { start, end, startFrame, stride, fps, maxFrames } = selection;
  for (const [name, value] of Object.entries({ stride, maxFrames })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
      throw invalidArgument(`${name} is ${value}.`, 'Give a whole number of at least 1.');
    }
  }
  if (fps !== undefined && !(fps >= 1e-4 && fps <= 1e5)) {
    throw invalidArgument(`fps is ${fps}.`, 'Give a number of frames per second from 0.0001 to 100,000.');
  }
  if (startFrame !== undefined && !(Number.isInteger(startFrame) && startFrame >= 0)) {
    throw invalidArgument(`startFrame is ${startFrame}.`, 'Frames count from 0.');
  }
  if (start !== undefined && !(Number.isFinite(start) && start >= 0)) {
    throw invalidArgument(`start is ${start}.`, 'Give seconds from the start of the video, from 0 on.');
  }
  if (end !== undefined && !(Number.isFinite(end) && end > (start ?? 0))) {
    throw invalidArgument(`end is ${end}, start is ${start ?? 0}.`, 'Give an end in seconds that is after the start.');
  }
  const excluded = [
    ['start', 'startFrame'],
    ['stride', 'fps'],
    ['startFrame', 'fps'],
  ] as const;
  for (const [one, other] of excluded) {
    if (selection[one] === undefined || selection[other] === undefined) continue;
    throw invalidArgument(`Both ${one} and ${other} are given.`, 'Give one of them.');
  }
}
