import { type DecodedVideo, type DecodeOptions, decode } from './decode.js';
import { invalidArgument, VideoError } from './errors.js';

/** What to do when the video ends before the clip is full. */
export type ClipPolicy = 'error' | 'repeat-last' | 'loop' | 'mirror';

/** Which frames make a clip. */
export interface ClipOptions
  extends Pick<
    DecodeOptions,
    'stride' | 'fps' | 'shortSide' | 'size' | 'truncated' | 'threads' | 'info' | 'timeoutMs' | 'signal'
  > {
  /** Frames of the clip. */
  frames: number;
  /** Seconds from the start of the video at which the clip begins. Excludes `frame`. Default 0. */
  start?: number;
  /** Number of the frame, counted from 0, with which the clip begins. Excludes `start` and `fps`. */
  frame?: number;
  /**
   * What to do when the video ends before the clip is full: `error` (the default); `repeat-last` frame; `loop`: begin
   * again with the clip's first frame; `mirror`: walk back and forth over the frames that are there.
   */
  shortVideo?: ClipPolicy;
}

/**
 * Decodes a clip of exactly `frames` frames. Frame k is frame `frame + k * stride` of the video, or the first one at or
 * after `start` and then every `stride`-th, or with `fps` the picture shown at `start + k / fps`.
 * A frame that is repeated for a short video keeps its own time stamp.
 *
 * Errors as `decode`; besides `too-short` when the video ends before the clip is full and that is not allowed, or when
 * the clip would begin after its end.
 */
export async function clip(path: string, options: ClipOptions): Promise<DecodedVideo> {
  const { frames: wanted, frame, shortVideo = 'error', ...selection } = options;
  if (!(Number.isInteger(wanted) && wanted >= 1)) {
    throw invalidArgument(`frames is ${wanted}.`, 'Give the number of frames of the clip, at least 1.');
  }
  const found = await decode(path, { ...selection, startFrame: frame, maxFrames: wanted });
  if (found.frames === wanted) return found;
  if (found.frames > 0 && shortVideo !== 'error') return fill(found, wanted, shortVideo);
  const begin = frame === undefined ? `${options.start ?? 0} s` : `frame ${frame}`;
  throw new VideoError({
    code: 'too-short',
    path: options.info?.path ?? path,
    reason: `From ${begin} on there are ${found.frames} of the ${wanted} frames of the clip.`,
    hint: "Begin earlier, take fewer frames or a smaller stride, or say how to fill the clip with shortVideo ('loop', …).",
  });
}

/** Index of the frame at position `k` of an endless clip that is made of `count` frames. */
function sourceIndex(k: number, count: number, policy: Exclude<ClipPolicy, 'error'>): number {
  if (policy === 'repeat-last') return Math.min(k, count - 1);
  if (policy === 'loop') return k % count;
  const period = Math.max(1, 2 * (count - 1));
  const step = k % period;
  return step < count ? step : period - step;
}

function fill(found: DecodedVideo, wanted: number, policy: Exclude<ClipPolicy, 'error'>): DecodedVideo {
  const sources = Array.from({ length: wanted }, (_, k) => sourceIndex(k, found.frames, policy));
  const frameBytes = found.height * found.width * 3;
  const data = new Uint8Array(wanted * frameBytes);
  for (const [k, source] of sources.entries()) {
    data.set(found.data.subarray(source * frameBytes, (source + 1) * frameBytes), k * frameBytes);
  }
  const timestamps = Float64Array.from(sources, (source) => found.timestamps[source]!);
  const pts = Float64Array.from(sources, (source) => found.pts[source]!);
  return { ...found, frames: wanted, data, timestamps, pts };
}
