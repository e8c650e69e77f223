import {
  consecutiveSurvivors,
  denseTestClips,
  frameAt,
  normalisedTimeline,
  pretextClips,
  queryAndCandidates,
  type SegmentViewMode,
  type ShortVideoPolicy,
  segmentTestClip,
  segmentViews,
  similarityClips,
  spacedPositions,
  testClips,
  timelineAtRate,
  trainClip,
  VARYING_LOCAL_FRAMES,
} from '@chronotope/video';
import type { Transform } from '../augment/settings.js';
import { ChronotopeError } from '../errors.js';
import type { RandomStream } from '../random.js';

/** What a plan needs to know of a video. */
export interface PlannedVideo {
  /** Number of frames. */
  frames: number;
  /** When each frame is shown, in seconds; needed by plans that choose by time. */
  timestamps?: readonly number[];
}

/** Which frames make a clip. */
export interface ClipGeometry extends Timeline {
  /** Frames of a clip. */
  frames: number;
  /** Frames from one frame of a training or test clip to the next. */
  stride: number;
  /** The same for the global clip of pre-training; a multiple of `localClips`. */
  globalStride: number;
  /** Local clips of pre-training; together they span the global clip. */
  localClips: number;
  shortVideo: ShortVideoPolicy;
}

/** The frames that clips are chosen from. */
export interface Timeline {
  /** Chooses from this many frames a second, whatever the video's frame rate; `null` or nothing keeps its frames. */
  fps?: number | null;
  /** Plays every video as if it had this many frames; `null` keeps its own time. */
  virtualFrames: number | null;
}

/** One clip of a video and how it becomes network input. */
export interface PlannedClip {
  frames: number[];
  transform: Transform;
}

/** A batch tensor [...shape, N, 3, T, S, S] of a plan. */
export interface View {
  name: string;
  shape: readonly number[];
  /** Side S of the square input in pixels, where it differs from that of the plan's other views. */
  size?: number;
}

/** The clips a method wants of every video. */
export interface ViewPlan {
  views: readonly View[];
  /**
   * The clips of a video, view after view and row-major within each view's shape; those of one view have one length.
   * `null` for a video that is too short.
   */
  clips(video: PlannedVideo, random: RandomStream): PlannedClip[] | null;
}

/**
 * Views of the self-supervised stages (TimeBalance, TCLR): a global clip and the local clips it spans, each seen twice
 * with augmentations of their own. `globals` [2, …] by augmentation, `locals` [2, K, …] by augmentation and time.
 */
export function pretextPlan(geometry: ClipGeometry, transform: Transform): ViewPlan {
  const { frames: clipFrames, globalStride, localClips, shortVideo } = geometry;
  return {
    views: [
      { name: 'globals', shape: [2] },
      { name: 'locals', shape: [2, localClips] },
    ],
    clips: (video, random) => {
      const uniform = random.uniform();
      return (
        onTimeline(geometry, video, (frameCount) => {
          const clips = pretextClips({ frameCount, uniform, clipFrames, globalStride, localClips, shortVideo });
          return clips === null ? null : [clips.global, clips.global, ...clips.locals, ...clips.locals];
        })?.map((frames) => ({ frames, transform })) ?? null
      );
    },
  };
}

/** One clip at a random time, `clip` [N, …]: fine-tuning, the student, the supervised baseline. */
export function trainPlan(geometry: ClipGeometry, transform: Transform): ViewPlan {
  const { frames: clipFrames, stride, shortVideo } = geometry;
  return {
    views: [{ name: 'clip', shape: [] }],
    clips: (video, random) => {
      const uniform = random.uniform();
      return (
        onTimeline(geometry, video, (frameCount) => {
          const clip = trainClip({ frameCount, uniform, clipFrames, stride, shortVideo });
          return clip === null ? null : [clip];
        })?.map((frames) => ({ frames, transform })) ?? null
      );
    },
  };
}

/**
 * One clip at a random time, seen twice: `weak` and `strong` [N, …] are the same frames in two augmentations (FixMatch, mean
 * teacher).
 */
export function twoViewsPlan(geometry: ClipGeometry, transforms: { weak: Transform; strong: Transform }): ViewPlan {
  const { weak, strong } = transforms;
  const one = trainPlan(geometry, weak);
  return {
    views: [
      { name: 'weak', shape: [] },
      { name: 'strong', shape: [] },
    ],
    clips: (video, random) =>
      one.clips(video, random)?.flatMap((clip) => [clip, { ...clip, transform: strong }]) ?? null,
  };
}

/**
 * Evenly spread clips for evaluation, `clips` [M, N, …], without random numbers; with several transforms (such as three
 * crops) [M · transforms, N, …], the transforms of one clip together.
 *
 * The official rule drops some clips of a short video. Their places are taken by the video's other clips in turn, so
 * that the mean over M clips is a mean over clips that exist.
 */
export function testPlan(
  geometry: ClipGeometry,
  options: { clips: number; transforms: readonly Transform[] },
): ViewPlan {
  const { frames: clipFrames, stride, shortVideo } = geometry;
  const { clips, transforms } = options;
  return evaluationPlan(geometry, clips, transforms, (frameCount) => {
    const present = testClips({ frameCount, clipFrames, stride, clips, shortVideo }).filter((clip) => clip !== null);
    return present.length === 0 ? null : Array.from({ length: clips }, (_, m) => present[m % present.length]!);
  });
}

/** Clips of consecutive frames for the dense evaluation of AVID-CMA and CCL, `clips` [M · transforms, N, …]. */
export function denseTestPlan(
  options: Timeline & { frames: number; clips: number; transforms: readonly Transform[]; shortVideo: ShortVideoPolicy },
): ViewPlan {
  const { frames: clipFrames, clips, transforms, shortVideo } = options;
  return evaluationPlan(options, clips, transforms, (frameCount) =>
    denseTestClips({ frameCount, clipFrames, clips, shortVideo }),
  );
}

/** SVT's test clips over long segments, `clips` [M · transforms, N, …]. */
export function segmentTestPlan(
  options: SegmentGeometry & { clips: number; transforms: readonly Transform[] },
): ViewPlan {
  const { frames: clipFrames, segmentFrames, clips, transforms, shortVideo } = options;
  return evaluationPlan(options, clips, transforms, (frameCount) => {
    const chosen = Array.from({ length: clips }, (_, clip) =>
      segmentTestClip({ frameCount, clip, clips, clipFrames, segmentFrames, shortVideo }),
    );
    return chosen.every((clip) => clip !== null) ? chosen : null;
  });
}

function evaluationPlan(
  timeline: Timeline,
  clips: number,
  transforms: readonly Transform[],
  choose: (frameCount: number) => number[][] | null,
): ViewPlan {
  return {
    views: [{ name: 'clips', shape: [clips * transforms.length] }],
    clips: (video) =>
      onTimeline(timeline, video, choose)?.flatMap((frames) =>
        transforms.map((transform) => ({ frames, transform })),
      ) ?? null,
  };
}

/** SVT's views: parts of a long segment, each seen through the same number of frames. */
export interface SegmentGeometry extends Timeline {
  /** Frames of a clip. */
  frames: number;
  /** Frames of the segment: 256 at 30 frames a second is official. */
  segmentFrames: number;
  shortVideo: ShortVideoPolicy;
}

/** Settings of {@link segmentPlan}. */
export interface SegmentViewOptions {
  mode: SegmentViewMode;
  globalTransform: Transform;
  localTransform: Transform;
  /** Side of the local views in pixels. */
  localSize: number;
  /** Local views in mode `standard`. Default 8. */
  localViews?: number;
  /** All views show the frames of the first global one, for comparison. Default false. */
  sameFrames?: boolean;
}

/**
 * Global and local views of SVT and LSS: `globals` [2, …] over the whole segment ([3, …] with two tokens), `locals`
 * [8, …] ([2, …]) over an eighth of it, smaller; none if there are no local views. Where frame rates vary, every view is a
 * tensor of its own, because their lengths differ: `global-1`, `global-2`, `local-1` to `local-8`.
 */
export function segmentPlan(geometry: SegmentGeometry, options: SegmentViewOptions): ViewPlan {
  const { frames: clipFrames, segmentFrames, shortVideo } = geometry;
  const { mode, globalTransform, localTransform, localSize, sameFrames = false } = options;
  const { localViews = VARYING_LOCAL_FRAMES.length } = options;
  const globals = mode === 'two-token' ? 3 : 2;
  const locals = { standard: localViews, 'varying-frame-rate': VARYING_LOCAL_FRAMES.length, 'two-token': 2 }[mode];
  const each = (name: string, count: number, size?: number): View[] =>
    mode === 'varying-frame-rate'
      ? Array.from({ length: count }, (_, k) => ({ name: `${name}-${k + 1}`, shape: [], size }))
      : [{ name: `${name}s`, shape: [count], size }];
  return {
    views: [...each('global', globals), ...(locals === 0 ? [] : each('local', locals, localSize))],
    clips: (video, random) => {
      const uniforms = (count: number): number[] => Array.from({ length: count }, () => random.uniform());
      const draw = { start: random.uniform(), globals: uniforms(3), locals: uniforms(locals) };
      const chosen = onTimeline(geometry, video, (frameCount) => {
        const views = segmentViews({ frameCount, draw, clipFrames, segmentFrames, mode, shortVideo });
        const clips = views && [...views.globals, ...views.locals];
        return clips && sameFrames ? clips.map(() => clips[0]!) : clips;
      });
      return (
        chosen?.map((frames, k) => ({ frames, transform: k < globals ? globalTransform : localTransform })) ?? null
      );
    },
  };
}

/** How a video becomes the few frames that CCL learns from. */
export interface RelatedFrames {
  /** Frames that stand for a video: 4. */
  framesPerVideo: number;
  /** Seconds between them: 5; `null` where the stored frames are these frames already, as in R2V2. */
  spacingSeconds: number | null;
  /** Candidates for the positive, or all frames with the query's first. */
  candidates: number | 'all';
  /** Whether the query's own frame may be among the candidates (official). Default `any`. */
  positiveFrame?: 'any' | 'different';
}

/**
 * Single frames for CCL and MoCo, as clips of one frame: `query` and `key` [N, …] are two augmentations of one frame,
 * `candidates` [K, N, …] further frames of the video. `null` for a video with fewer frames than candidates.
 */
export function relatedFramesPlan(
  { framesPerVideo, spacingSeconds, candidates, positiveFrame = 'any' }: RelatedFrames,
  transform: Transform,
): ViewPlan {
  const others = positiveFrame === 'different';
  const count = candidates === 'all' ? framesPerVideo - (others ? 1 : 0) : candidates;
  return {
    views: [
      { name: 'query', shape: [] },
      { name: 'key', shape: [] },
      { name: 'candidates', shape: [count] },
    ],
    clips: (video, random) => {
      const [start, first] = [random.uniform(), random.uniform()];
      const uniforms = Array.from({ length: count + 1 }, () => random.uniform());
      const known =
        spacingSeconds === null ? [...Array(video.frames).keys()] : spacedFrames(video, spacingSeconds, start);
      const related = consecutiveSurvivors(known, { wanted: framesPerVideo, uniform: first });
      if (related.length < (others ? count + 1 : count)) return null;
      const chosen = queryAndCandidates({ frameCount: related.length, candidates, uniforms, others });
      return [chosen.query, chosen.query, ...chosen.candidates].map((k) => ({ frames: [related[k]!], transform }));
    },
  };
}

/** Frames that lie `spacing` seconds apart, without repetitions. */
function spacedFrames(video: PlannedVideo, spacing: number, uniform: number): number[] {
  const timestamps = timesOf(video);
  const [start, end] = [timestamps[0]!, timestamps.at(-1)!];
  const { positions } = spacedPositions({ length: Math.max(end - start, 1e-3), uniform, spacing });
  return [...new Set(positions.map((seconds) => frameAt(timestamps, start + seconds)))];
}

/** Clips whose features are compared for the temporal similarity score (TSTR), `clips` [n, N, …]; fits every video. */
export function similarityPlan(
  geometry: ClipGeometry,
  options: { clips: number; stride: number; placement: 'spread' | 'consecutive'; transform: Transform },
): ViewPlan {
  const { clips, stride, placement, transform } = options;
  return {
    views: [{ name: 'clips', shape: [clips] }],
    clips: (video) =>
      onTimeline(geometry, video, (frameCount) =>
        similarityClips({ frameCount, clipFrames: geometry.frames, stride, clips, placement }),
      )?.map((frames) => ({ frames, transform })) ?? null,
  };
}

/** Chooses clips on the timeline and returns them as frames of the video. */
function onTimeline(
  { fps, virtualFrames }: Timeline,
  video: PlannedVideo,
  choose: (frameCount: number) => number[][] | null,
): number[][] | null {
  const timed = typeof fps === 'number' ? timelineAtRate(timesOf(video), fps) : null;
  const ownFrames = timed?.length ?? video.frames;
  const stretched = virtualFrames === null ? null : normalisedTimeline(ownFrames, virtualFrames);
  const clips = choose(stretched?.length ?? ownFrames);
  return (
    clips?.map((clip) =>
      clip.map((index) => {
        const frame = stretched?.[index] ?? index;
        return timed?.[frame] ?? frame;
      }),
    ) ?? null
  );
}

/** @throws ChronotopeError `no-timestamps` */
function timesOf({ timestamps }: PlannedVideo): readonly number[] {
  if (timestamps !== undefined && timestamps.length > 0) return timestamps;
  throw new ChronotopeError(
    'no-timestamps',
    'clips are to be chosen by time, but the times of the frames are not known',
    {
      hint: 'Store the frames again, or choose clips by frame (fps: null).',
    },
  );
}
