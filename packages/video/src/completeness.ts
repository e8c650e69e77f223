import type { DecodeLog } from './decode-log.js';
import { type FrameSelection, secondsOf } from './decode-plan.js';
import { VideoError, type VideoPosition } from './errors.js';
import type { VideoInfo } from './probe.js';

/** What is wrong with a video of which frames could be decoded. */
export interface VideoDamage {
  /** `truncated`: frames that the header states are missing at the end; `corrupt`: the decoder met errors. */
  code: 'truncated' | 'corrupt';
  /** All that is wrong, in one line. */
  reason: string;
  /**
   * Where the trouble begins: where the decoder, which works a few frames ahead of those it delivers, reported its
   * first error; without an error where the frames end.
   */
  position: VideoPosition;
}

/** How complete a decoded video is. */
export interface DecodeSummary {
  /** Number of frames delivered. */
  frames: number;
  /** Whether everything that was asked for was there and no decoder error was met. */
  complete: boolean;
  /** What was wrong with a usable file: missing frames, decoder errors. */
  warnings: string[];
  /** The same with its place; null for a complete video. */
  damage: VideoDamage | null;
}

/** How a decoding ended. */
export interface DecodeEnd {
  /** Frames delivered. */
  delivered: number;
  /** Frames after which FFmpeg was to stop; undefined for all. */
  wanted: number | undefined;
  /** Whether FFmpeg ended without an error. */
  endedNormally: boolean;
  /** Whether a truncated file is no error. */
  acceptTruncated: boolean;
}

/** A file is truncated if it holds less than this share of what its header states. */
const leastShare = 0.9;
/** Headers are often wrong by a frame or two, which is much of a very short video. */
const toleratedFrames = 2;

/**
 * Judges a finished decoding by its log. Throws `truncated` when clearly less was there than the header states, unless
 * that is accepted.
 */
export function summarise(
  info: VideoInfo,
  log: DecodeLog,
  selection: FrameSelection,
  { delivered, wanted, endedNormally, acceptTruncated }: DecodeEnd,
): DecodeSummary {
  const warnings = log.errors.length === 0 ? [] : [`${log.errorCount} decoder errors, first: ${log.errors[0]}`];
  if (!endedNormally) warnings.push('FFmpeg ended with an error.');
  const shortfall =
    delivered === wanted || reachesEnd(info, log, selection) ? null : findShortfall(info, log, selection);
  if (shortfall !== null) {
    warnings.push(shortfall.description);
    if (shortfall.isSevere && !acceptTruncated)
      throw truncatedError(info, shortfall.description, lastPosition(info, log, delivered));
  }
  const damage: VideoDamage | null =
    warnings.length === 0
      ? null
      : {
          code: shortfall === null ? 'corrupt' : 'truncated',
          reason: warnings.join('; '),
          position: troublePosition(info, log, delivered),
        };
  return { frames: delivered, complete: damage === null, warnings, damage };
}

/** The error for a file that was cut off. */
export function truncatedError(info: VideoInfo, reason: string, position: VideoPosition): VideoError {
  const hint = 'The file is damaged or was cut off; get a complete copy or remove it.';
  return new VideoError({ code: 'truncated', path: info.path, reason: `${reason}.`, hint, position });
}

/** How far decoding has come by its log. */
export function lastPosition(info: VideoInfo, log: DecodeLog, delivered: number): VideoPosition {
  return { frame: delivered, seconds: log.decodedCount === 0 ? 0 : endOfDecoded(info, log) };
}

function troublePosition(info: VideoInfo, log: DecodeLog, all: number): VideoPosition {
  if (log.firstError === null) return lastPosition(info, log, all);
  const { delivered, pts } = log.firstError;
  return { frame: delivered, seconds: pts === null ? 0 : secondsOf(info, pts - info.startPts) };
}

function reachesEnd(info: VideoInfo, log: DecodeLog, { end }: FrameSelection): boolean {
  return end !== undefined && log.lastDecodedPts !== null && endOfDecoded(info, log) >= end - 1e-3;
}

/** What is missing of the length that the header states, or null. */
function findShortfall(
  info: VideoInfo,
  log: DecodeLog,
  { start = 0, end = Infinity }: FrameSelection,
): { isSevere: boolean; description: string } | null {
  if (info.frameCount !== null && start === 0 && end === Infinity) {
    const stated = Math.min(info.frameCount, shownFrames(info));
    if (log.decodedCount >= stated) return null;
    return {
      isSevere: log.decodedCount < leastShare * stated && log.decodedCount < stated - toleratedFrames,
      description: `Only ${log.decodedCount} of ${stated} stated frames`,
    };
  }
  if (info.duration === null) return null;
  // Sound may go on after the last picture, so a container's duration proves nothing by itself.
  if (info.durationOf === 'container' && !log.endsEarly) return null;
  // Matroska states the end of the last frame, counted from 0.
  const origin = info.container.includes('matroska') ? info.startTime : 0;
  const stated = Math.min(info.duration - origin, end);
  const seconds = endOfDecoded(info, log);
  if (stated - seconds <= toleratedFrames / info.averageFrameRate) return null;
  return {
    isSevere: seconds < leastShare * stated,
    description: `Only ${seconds.toFixed(2)} s of ${stated.toFixed(2)} s stated duration`,
  };
}

/** Seconds from the start of the video at which the last decoded frame ends. */
function endOfDecoded(info: VideoInfo, log: DecodeLog): number {
  const last =
    log.lastDecodedPts === null
      ? (log.decodedCount - 1) / info.averageFrameRate
      : secondsOf(info, log.lastDecodedPts - info.startPts);
  return last + 1 / info.averageFrameRate;
}

/** Upper bound of the frames shown: an edit list of an MP4 can hide stored frames, and then its duration is shorter. */
function shownFrames(info: VideoInfo): number {
  if (!info.container.includes('mp4') || info.duration === null) return Infinity;
  return Math.max(1, Math.floor(info.duration * info.averageFrameRate + 0.01));
}
