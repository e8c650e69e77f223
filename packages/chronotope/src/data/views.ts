import {
  normalisedTimeline,
  pretextClips,
  type ShortVideoPolicy,
  similarityClips,
  testClips,
  trainClip,
} from '@chronotope/video';
import type { CentreCrop, Transform } from '../augment/settings.js';
import type { RandomStream } from '../random.js';

/** Which frames make a clip. */
export interface ClipGeometry {
  /** Frames of a clip. */
  frames: number;
  /** Frames from one frame of a training or test clip to the next. */
  stride: number;
  /** The same for the global clip of pre-training; a multiple of `localClips`. */
  globalStride: number;
  /** Local clips of pre-training; together they span the global clip. */
  localClips: number;
  /** Plays every video as if it had this many frames; `null` keeps its own time. */
  virtualFrames: number | null;
  shortVideo: ShortVideoPolicy;
}

/** One clip of a video and how it becomes network input. */
export interface PlannedClip {
  frames: number[];
  transform: Transform;
}

/** The clips a method wants of every video. */
export interface ViewPlan {
  /** Each view is a batch tensor [...shape, N, 3, T, S, S] under its name. */
  views: readonly { name: string; shape: readonly number[] }[];
  /**
   * The clips of a video of `frameCount` frames, view after view and row-major within each view's shape; `null` for a
   * video that is too short.
   */
  clips(frameCount: number, random: RandomStream): PlannedClip[] | null;
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
    clips: (sourceFrames, random) => {
      const uniform = random.uniform();
      return (
        onTimeline(geometry, sourceFrames, (frameCount) => {
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
    clips: (sourceFrames, random) => {
      const uniform = random.uniform();
      return (
        onTimeline(geometry, sourceFrames, (frameCount) => {
          const clip = trainClip({ frameCount, uniform, clipFrames, stride, shortVideo });
          return clip === null ? null : [clip];
        })?.map((frames) => ({ frames, transform })) ?? null
      );
    },
  };
}

/**
 * Evenly spread clips for evaluation, `clips` [M, N, …], without random numbers.
 *
 * The official rule drops some clips of a short video. Their places are taken by the video's other clips in turn, so
 * that the mean over M clips is a mean over clips that exist.
 */
export function testPlan(geometry: ClipGeometry, options: { clips: number; transform: CentreCrop }): ViewPlan {
  const { frames: clipFrames, stride, shortVideo } = geometry;
  const { clips, transform } = options;
  return {
    views: [{ name: 'clips', shape: [clips] }],
    clips: (sourceFrames) =>
      onTimeline(geometry, sourceFrames, (frameCount) => {
        const present = testClips({ frameCount, clipFrames, stride, clips, shortVideo }).filter(
          (clip) => clip !== null,
        );
        return present.length === 0 ? null : Array.from({ length: clips }, (_, m) => present[m % present.length]!);
      })?.map((frames) => ({ frames, transform })) ?? null,
  };
}

/** Clips whose features are compared for the temporal similarity score (TSTR), `clips` [n, N, …]; fits every video. */
export function similarityPlan(
  geometry: ClipGeometry,
  options: { clips: number; stride: number; placement: 'spread' | 'consecutive'; transform: CentreCrop },
): ViewPlan {
  const { clips, stride, placement, transform } = options;
  return {
    views: [{ name: 'clips', shape: [clips] }],
    clips: (sourceFrames) =>
      onTimeline(geometry, sourceFrames, (frameCount) =>
        similarityClips({ frameCount, clipFrames: geometry.frames, stride, clips, placement }),
      )?.map((frames) => ({ frames, transform })) ?? null,
  };
}

/** Chooses clips on the geometry's timeline and returns them as frames of the source. */
function onTimeline(
  { virtualFrames }: ClipGeometry,
  sourceFrames: number,
  choose: (frameCount: number) => number[][] | null,
): number[][] | null {
  if (virtualFrames === null) {
    return choose(sourceFrames);
  }
  const timeline = normalisedTimeline(sourceFrames, virtualFrames);
  return choose(virtualFrames)?.map((clip) => clip.map((index) => timeline[index]!)) ?? null;
}
