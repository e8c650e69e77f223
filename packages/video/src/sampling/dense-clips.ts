import { linspace, pick, requireCounts, strided } from './arithmetic.js';
import { extendedTimeline, type ShortVideoPolicy } from './short-video.js';

/**
 * `clips` test clips of consecutive frames at the starts floor(linspace(0, max(N - n, 1), clips)), N frames in the video
 * and n in a clip: the dense evaluation of AVID-CMA, which CCL follows with 32 frames at 16 frames a second (see
 * {@link timelineAtRate}). A video no longer than a clip gives the same clip every time; official is `loop`, which
 * repeats its frames from the start.
 *
 * @returns null when the policy leaves the video out
 */
export function denseTestClips({
  frameCount,
  clipFrames = 32,
  clips = 10,
  shortVideo = 'official',
}: {
  frameCount: number;
  clipFrames?: number;
  clips?: number;
  shortVideo?: ShortVideoPolicy;
}): number[][] | null {
  requireCounts({ frameCount, clipFrames, clips });
  if (frameCount > clipFrames) {
    return linspace(0, Math.max(frameCount - clipFrames, 1), clips).map((start) =>
      strided(Math.floor(start), clipFrames, 1),
    );
  }
  const timeline = extendedTimeline(shortVideo === 'official' ? 'loop' : shortVideo, frameCount, clipFrames);
  return timeline && Array.from({ length: clips }, () => pick(timeline, strided(0, clipFrames, 1)));
}
