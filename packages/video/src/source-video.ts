import { createHash } from 'node:crypto';
import type { FrameSelection } from './decode-plan.js';
import type { VideoInfo } from './probe.js';

/** A part of a video file: from `start` up to, not including, `end`; null means the end of the file. */
export interface ClipRange {
  /** Frames count from 0 in the order of presentation. */
  unit: 'seconds' | 'frames';
  start: number;
  end: number | null;
}

/** Images that are the frames of a video. */
export interface ImageSequence {
  /** Their paths, in the order of the frames. */
  files: readonly string[];
  /** Frames a second. */
  fps: number;
}

/** Where the bytes of a video file lie in an archive that is not compressed. */
export interface ArchiveMember {
  name: string;
  offset: number;
  size: number;
}

/** A video, and the name under which a caller knows it. At most one of `clip` with `member`, and `images` alone. */
export interface SourceVideo {
  id: string;
  /** The video file; the archive that holds it, for a `member`; the folder of the images. */
  path: string;
  /** Only this part of it. */
  clip?: ClipRange;
  images?: ImageSequence;
  member?: ArchiveMember;
}

/** Whether a video is a file as it is. */
export function isWholeFile({ clip, images, member }: SourceVideo): boolean {
  return clip === undefined && images === undefined && member === undefined;
}

/** What a video is besides its path, as a text that is the same for the same part; empty for a whole file. */
export function partOf({ clip, images, member }: SourceVideo): string {
  const range = clip && [clip.unit, clip.start, clip.end];
  const bytes = member && [member.offset, member.size];
  const sequence = images && [images.fps, images.files];
  return range || bytes || sequence ? JSON.stringify({ range, bytes, sequence }) : '';
}

/** What a part of a file holds, from what the file holds. */
export function hashOfPart(sha256: string, clip: ClipRange): string {
  const { unit, start, end } = clip;
  return createHash('sha256')
    .update(JSON.stringify([sha256, unit, start, end]))
    .digest('hex');
}

/**
 * The frames of a clip, for decoding. With an even frame rate, whose pictures are chosen by time, a range of frames is
 * taken as the span of time in which they are shown at the file's average rate.
 */
export function clipSelection(
  clip: ClipRange | undefined,
  info: VideoInfo,
  { fps, maxFrames }: Pick<FrameSelection, 'fps' | 'maxFrames'>,
): FrameSelection {
  if (clip === undefined) return { fps, maxFrames };
  const end = clip.end ?? undefined;
  if (clip.unit === 'frames' && fps === undefined) {
    const count = end === undefined ? undefined : end - clip.start;
    const most = count === undefined ? maxFrames : Math.min(count, maxFrames ?? count);
    return { startFrame: clip.start, maxFrames: most };
  }
  const rate = clip.unit === 'frames' ? info.averageFrameRate : 1;
  const start = clip.start / rate;
  return { fps, maxFrames, start: start > 0 ? start : undefined, end: end === undefined ? undefined : end / rate };
}
