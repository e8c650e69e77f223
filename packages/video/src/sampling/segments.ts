import { drawStart, requireCounts, requireUniform } from './arithmetic.js';
import { extendedTimeline, type ShortVideoPolicy } from './short-video.js';

// How SVT (CVPR 2022), and LSS after it, choose frames: some number of frames spread evenly over a part of the video.

/**
 * Which views a video gives. `standard`: two global views over the whole segment, and local ones over an eighth of it.
 * `varying-frame-rate`: the same with 4 and 8 global and 2, 2, 4, 4, 8, 8, 16, 16 local frames. `two-token`: three global
 * views that leave out up to 6 frames at either end, and two local ones.
 */
export type SegmentViewMode = 'standard' | 'varying-frame-rate' | 'two-token';

/** Clips of one video that see it over different extents, and so at different frame rates. */
export interface SegmentViews {
  globals: number[][];
  locals: number[][];
}

/** The random numbers of {@link segmentViews}, each from [0, 1). */
export interface SegmentDraw {
  /** Where the segment starts. */
  start: number;
  /** Where each local view lies in it: at least 8, or 2 for two tokens. */
  locals: readonly number[];
  /** How much each global view leaves out, for two tokens: 3. */
  globals?: readonly number[];
}

/**
 * Global and local views of a random segment, as in the published SVT code.
 *
 * The official segment lasts 8.53 s: `segmentFrames` = 32 · 8 / 30 times the video's frames a second, 256 at 30. A video
 * that is shorter is the segment (`official`), or is played on to its length.
 *
 * @returns null when the policy leaves the video out
 * @throws RangeError for impossible settings
 */
export function segmentViews({
  frameCount,
  draw,
  clipFrames = 8,
  segmentFrames = 256,
  mode = 'standard',
  shortVideo = 'official',
}: {
  frameCount: number;
  draw: SegmentDraw;
  clipFrames?: number;
  segmentFrames?: number;
  mode?: SegmentViewMode;
  shortVideo?: ShortVideoPolicy;
}): SegmentViews | null {
  requireCounts({ frameCount, clipFrames, segmentFrames });
  for (const uniform of [draw.start, ...draw.locals, ...(draw.globals ?? [])]) requireUniform(uniform);
  const timeline =
    shortVideo === 'official' || frameCount >= segmentFrames
      ? null
      : extendedTimeline(shortVideo, frameCount, segmentFrames);
  if (timeline === null && shortVideo !== 'official' && frameCount < segmentFrames) return null;
  const length = Math.min(timeline?.length ?? frameCount, segmentFrames);
  const start = timeline === null ? drawStart(frameCount - length + 1, draw.start) : 0;
  const views = viewsOf(length, clipFrames, mode, draw);
  const onVideo = (clip: number[]): number[] => clip.map((index) => timeline?.[index] ?? start + index);
  return { globals: views.globals.map(onVideo), locals: views.locals.map(onVideo) };
}

/** The views of a segment of `length` frames, as indices into it. */
function viewsOf(length: number, clipFrames: number, mode: SegmentViewMode, draw: SegmentDraw): SegmentViews {
  const extent = Math.floor(length / 8);
  const local = (uniform: number, frames: number): number[] => {
    const first = drawStart(length - extent, uniform);
    return evenlyBetween(first, first + extent, frames, length);
  };
  if (mode === 'two-token') {
    const globals = firstOf(draw.globals ?? [], 3).map((uniform) => {
      const margin = drawStart(7, uniform);
      return evenlyBetween(margin, length - margin, clipFrames, length);
    });
    return { globals, locals: firstOf(draw.locals, 2).map((uniform) => local(uniform, clipFrames)) };
  }
  const varying = mode === 'varying-frame-rate';
  return {
    globals: [
      evenlyBetween(0, length - 5, varying ? 4 : clipFrames, length),
      evenlyBetween(5, length, varying ? 8 : clipFrames, length),
    ],
    locals: (varying ? firstOf(draw.locals, VARYING_LOCAL_FRAMES.length) : draw.locals).map((uniform, view) =>
      local(uniform, varying ? VARYING_LOCAL_FRAMES[view]! : clipFrames),
    ),
  };
}

/** Frames of the local views whose frame rates vary. */
export const VARYING_LOCAL_FRAMES: readonly number[] = [2, 2, 4, 4, 8, 8, 16, 16];

function firstOf(uniforms: readonly number[], count: number): readonly number[] {
  if (uniforms.length < count) throw new RangeError(`${count} random numbers are needed, not ${uniforms.length}`);
  return uniforms.slice(0, count);
}

/**
 * Test clip `clip` of `clips`: `clipFrames` frames spread over a segment that starts at `clip / clips` of the room there
 * is (SVT's evaluation; note that the last possible start is never used).
 *
 * A video shorter than the segment repeats its last frame (`official`, the same as `repeat-last`). `stretch` shrinks the
 * segment to the video, which LSS recommends.
 */
export function segmentTestClip({
  frameCount,
  clip,
  clips,
  clipFrames = 8,
  segmentFrames = 256,
  shortVideo = 'official',
}: {
  frameCount: number;
  clip: number;
  clips: number;
  clipFrames?: number;
  /** Need not be a whole number: 32 · 8 / 30 times the frames a second. */
  segmentFrames?: number;
  shortVideo?: ShortVideoPolicy;
}): number[] | null {
  requireCounts({ frameCount, clips, clipFrames });
  if (!(clip >= 0 && clip < clips)) throw new RangeError(`clip ${clip} of ${clips}`);
  const start = (Math.max(frameCount - segmentFrames, 0) * clip) / clips;
  if (shortVideo === 'official' || frameCount >= segmentFrames) {
    return evenlyBetween(start, start + segmentFrames - 1, clipFrames, frameCount);
  }
  const length = Math.ceil(segmentFrames);
  const timeline = extendedTimeline(shortVideo, frameCount, length);
  return timeline && evenlyBetween(0, segmentFrames - 1, clipFrames, length).map((index) => timeline[index]!);
}

/** `count` whole indices from `first` to `last`, rounded down, inside a video of `length` frames. */
function evenlyBetween(first: number, last: number, count: number, length: number): number[] {
  return linspaceFloat32(first, last, count).map((position) => Math.floor(Math.min(Math.max(position, 0), length - 1)));
}

/**
 * torch's `linspace` in single precision, counted from both ends: its rounding decides which frame a position that is
 * nearly whole belongs to.
 */
function linspaceFloat32(start: number, stop: number, count: number): number[] {
  const { fround } = Math;
  const [first, last] = [fround(start), fround(stop)];
  const step = count > 1 ? fround(fround(last - first) / (count - 1)) : 0;
  return Array.from({ length: count }, (_, i) =>
    i < Math.floor(count / 2) || count === 1
      ? fround(first + fround(step * i))
      : fround(last - fround(step * (count - i - 1))),
  );
}
