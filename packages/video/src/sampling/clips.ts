import { drawStart, linspace, pick, requireCounts, requireUniform, strided } from './arithmetic.js';
import { extendedTimeline, normalisedTimeline, type ShortVideoPolicy } from './short-video.js';

// Which frames make a clip, as TimeBalance (CVPR 2023) chooses them: index arithmetic only, no pixels and no random
// numbers (callers pass a number `uniform` drawn from [0, 1)). Indices count from 0 to `frameCount - 1`. The `official`
// rules are those of the published code, including what they do with short videos: reject them, halve the stride, or
// walk backwards from the last frame.

/** A long clip and short ones that together cover the same span. */
export interface PretextClips {
  /** Indices of the global clip. */
  global: number[];
  /** Indices of each local clip, in order of time; local clip j covers the span's j-th equal part. */
  locals: number[][];
}

/**
 * Clips for self-supervised pre-training: one global clip of every `globalStride`-th frame, and `localClips` consecutive,
 * non-overlapping clips of `clipFrames` frames that together cover exactly its span (64 frames by default). Every local
 * clip matches one of `localClips` equal slices of the global clip.
 *
 * Start: uniform in [0, N - span) when N > span, else 0. Official short videos: N <= span minus half a local clip (56)
 * gives null; otherwise missing frames at the end are filled by walking backwards from the last one.
 *
 * `globalStride` must be a multiple of `localClips`. Throws RangeError for impossible settings.
 */
export function pretextClips({
  frameCount,
  uniform,
  clipFrames = 16,
  globalStride = 4,
  localClips = 4,
  shortVideo = 'official',
}: {
  frameCount: number;
  uniform: number;
  clipFrames?: number;
  globalStride?: number;
  localClips?: number;
  shortVideo?: ShortVideoPolicy;
}): PretextClips | null {
  requireCounts({ clipFrames, globalStride, localClips });
  requireUniform(uniform);
  if (globalStride % localClips !== 0) {
    throw new RangeError(`globalStride (${globalStride}) must be a multiple of localClips (${localClips})`);
  }
  const span = clipFrames * globalStride;
  const localStride = globalStride / localClips;
  const localSpan = clipFrames * localStride;
  const start = drawStart(frameCount - span, uniform);
  const global = strided(start, clipFrames, globalStride);
  const locals = Array.from({ length: localClips }, (_, j) => strided(start + j * localSpan, clipFrames, localStride));
  if (frameCount >= span) return { global, locals };

  if (shortVideo !== 'official') {
    const timeline = extendedTimeline(shortVideo, frameCount, span);
    return timeline && { global: pick(timeline, global), locals: locals.map((local) => pick(timeline, local)) };
  }
  if (frameCount <= span - localSpan / 2) return null;
  const filled = [global, ...locals].map((clip) => fillBackwards(clip, frameCount));
  const [filledGlobal, ...filledLocals] = filled.filter((clip) => clip !== null);
  return filledLocals.length === localClips ? { global: filledGlobal!, locals: filledLocals } : null;
}

/**
 * Training clip of `clipFrames` frames at `stride`. Start: uniform in [0, N - span) when N > span = clipFrames * stride.
 *
 * Official short videos: stride int(stride / 2) with the same rule for the start; null when that does not fit either
 * (N <= 8 by default).
 */
export function trainClip({
  frameCount,
  uniform,
  clipFrames = 8,
  stride = 2,
  shortVideo = 'official',
}: {
  frameCount: number;
  uniform: number;
  clipFrames?: number;
  stride?: number;
  shortVideo?: ShortVideoPolicy;
}): number[] | null {
  requireCounts({ clipFrames, stride });
  requireUniform(uniform);
  const room = frameCount - clipFrames * stride;
  if (room > 0) return strided(drawStart(room, uniform), clipFrames, stride);

  if (shortVideo !== 'official') return extendedClip(shortVideo, { frameCount, clipFrames, stride, phase: 0 });
  const halved = halveStride(stride);
  const halvedRoom = frameCount - clipFrames * halved;
  return halvedRoom > 0 ? strided(drawStart(halvedRoom, uniform), clipFrames, halved) : null;
}

/**
 * `clips` test clips of `clipFrames` frames at `stride`, evenly spread; always `clips` entries, null for one that the
 * rule drops (average a video's scores over those that exist).
 *
 * Official: with span F = N - stride * clipFrames (stride halved when that is negative), clip m starts at
 * trunc(linspace(0, F - 10, clips)[m]); a negative start becomes m; missing frames at the end are filled by walking
 * backwards, or the clip is dropped when no more than half of them exist. Note the 10 last starts that are never used.
 * Other policies: starts spread over [0, F]; when F < 0 the clips differ in phase, the shift within a stride.
 */
export function testClips({
  frameCount,
  clipFrames = 8,
  stride = 2,
  clips = 10,
  shortVideo = 'official',
}: {
  frameCount: number;
  clipFrames?: number;
  stride?: number;
  clips?: number;
  shortVideo?: ShortVideoPolicy;
}): (number[] | null)[] {
  requireCounts({ clipFrames, stride, clips });
  if (shortVideo !== 'official') return spreadClips(shortVideo, { frameCount, clipFrames, stride, clips });

  const fits = stride * clipFrames <= frameCount;
  // The official code uses the halved stride unrounded for the room, but truncated for the indices.
  const room = frameCount - (fits ? stride : stride / 2) * clipFrames;
  const step = fits ? stride : halveStride(stride);
  return linspace(0, room - unusedStarts, clips).map((position, m) => {
    const start = Math.trunc(position);
    return fillBackwards(strided(start < 0 ? m : start, clipFrames, step), frameCount);
  });
}

const unusedStarts = 10;

/**
 * Clips between which a video's temporal similarity is measured (TimeBalance, Eq. 5); never null, so that every video
 * gets a score. `spread`: evenly spread starts from the first to the last possible one. `consecutive`: clips that follow
 * one another without overlap in one window at the middle of the video. A video too short for a clip, or for the window,
 * is stretched.
 */
export function similarityClips({
  frameCount,
  clipFrames = 8,
  stride = 2,
  clips = 4,
  placement = 'spread',
}: {
  frameCount: number;
  clipFrames?: number;
  stride?: number;
  clips?: number;
  placement?: 'spread' | 'consecutive';
}): number[][] {
  requireCounts({ frameCount, clipFrames, stride, clips });
  if (placement === 'spread') {
    return spreadClips('stretch', { frameCount, clipFrames, stride, clips }).map((clip) => clip ?? single(clipFrames));
  }
  const span = clipFrames * stride;
  const windowFrames = span * clips;
  const window =
    frameCount >= windowFrames
      ? strided(Math.floor((frameCount - windowFrames) / 2), windowFrames, 1)
      : normalisedTimeline(frameCount, windowFrames);
  return Array.from({ length: clips }, (_, m) => pick(window, strided(m * span, clipFrames, stride)));
}

/** The clip of a video of one frame. */
function single(clipFrames: number): number[] {
  return new Array<number>(clipFrames).fill(0);
}

type OtherPolicy = Exclude<ShortVideoPolicy, 'official'>;

function spreadClips(
  policy: OtherPolicy,
  { frameCount, clipFrames, stride, clips }: { frameCount: number; clipFrames: number; stride: number; clips: number },
): (number[] | null)[] {
  const room = frameCount - clipFrames * stride;
  return linspace(0, Math.max(0, room), clips).map((position, m) => {
    if (room >= 0) return strided(Math.floor(position), clipFrames, stride);
    return extendedClip(policy, { frameCount, clipFrames, stride, phase: Math.floor((m * stride) / clips) });
  });
}

/** Clip on a video that is no longer than the clip's span; `phase` in [0, stride) shifts it within a stride. */
function extendedClip(
  policy: OtherPolicy,
  { frameCount, clipFrames, stride, phase }: { frameCount: number; clipFrames: number; stride: number; phase: number },
): number[] | null {
  const timeline = extendedTimeline(policy, frameCount, clipFrames * stride);
  return timeline && pick(timeline, strided(phase, clipFrames, stride));
}

/**
 * Replaces the frames that lie behind the video's end by walking backwards from the last one that exists, without
 * repeating it; null unless more than half of the frames exist.
 */
function fillBackwards(clip: number[], frameCount: number): number[] | null {
  const present = clip.filter((index) => index < frameCount);
  const missing = clip.length - present.length;
  if (missing === 0) return clip;
  if (present.length <= missing) return null;
  return [...present, ...present.slice(-1 - missing, -1).reverse()];
}

function halveStride(stride: number): number {
  return Math.max(1, Math.floor(stride / 2));
}
