import { VideoError } from '../errors.js';
import { requireCounts } from './arithmetic.js';

/**
 * What to do with a video that is shorter than a clip's span.
 *
 * - `official`: what the published code of the sampler's paper does; each sampler says what that is.
 * - `stretch`: plays the video slower, so that the clip covers all of it; clips and slices stay aligned in time.
 * - `repeat-last`: goes on with the last frame. `loop`: starts again from the first. `mirror`: walks back and forth.
 * - `reject`: no clip; the caller leaves the video out and says so. `error`: throws, naming the lengths.
 */
export const SHORT_VIDEO_POLICIES = [
  'official',
  'stretch',
  'repeat-last',
  'loop',
  'mirror',
  'reject',
  'error',
] as const;

/** What to do with a video that is shorter than a clip. */
export type ShortVideoPolicy = (typeof SHORT_VIDEO_POLICIES)[number];

/**
 * A video of `frameCount` frames played on for `span` frames: the source frame of each. Null when the policy leaves the
 * video out, and for stretching a video of a single frame, which would show no motion at all.
 *
 * @throws VideoError `too-short` by the policy `error`
 */
export function extendedTimeline(
  policy: Exclude<ShortVideoPolicy, 'official'>,
  frameCount: number,
  span: number,
): number[] | null {
  requireCounts({ frameCount, span });
  const last = frameCount - 1;
  const extended = (frame: (index: number) => number): number[] => Array.from({ length: span }, (_, i) => frame(i));
  if (frameCount >= span) return extended((i) => i);
  switch (policy) {
    case 'stretch':
      return frameCount < 2 ? null : normalisedTimeline(frameCount, span);
    case 'repeat-last':
      return extended((i) => Math.min(i, last));
    case 'loop':
      return extended((i) => i % frameCount);
    case 'mirror':
      return extended((i) => (last === 0 ? 0 : last - Math.abs(last - (i % (2 * last)))));
    case 'reject':
      return null;
    case 'error':
      throw new VideoError({
        code: 'too-short',
        reason: `The video has ${frameCount} frames; a clip spans ${span}.`,
        hint: `Use fewer frames or a smaller stride, or treat short videos otherwise (${SHORT_VIDEO_POLICIES.join(', ')}).`,
      });
  }
}

/**
 * Source frame of each of `virtualFrames` frames, when a video of `frameCount` frames is played as if it had that many:
 * index i shows the source frame at time (i + 1/2) / virtualFrames of the video. Never decreases; the identity when both
 * counts are equal.
 */
export function normalisedTimeline(frameCount: number, virtualFrames: number): number[] {
  requireCounts({ frameCount, virtualFrames });
  return Array.from({ length: virtualFrames }, (_, i) => Math.floor(((i + 0.5) * frameCount) / virtualFrames));
}
