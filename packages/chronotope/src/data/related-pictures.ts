import { createHash } from 'node:crypto';
import {
  consecutiveSurvivors,
  decode,
  detailedFrames,
  distinctFrames,
  type FrameBatch,
  type Inside,
  type Picture,
  probe,
  spacedPositions,
  withoutBorder,
} from '@chronotope/video';
import { randomStream } from '../random.js';

/** How a video becomes a few pictures that stand for it. */
export interface PictureChoice {
  /** Pictures of a video: 4 in R2V2. */
  framesPerVideo: number;
  /** Seconds between them: 5 in R2V2. A short video gets less. */
  spacingSeconds: number;
  /** Frames that are looked at in one try: 10 in R2V2. */
  mostFrames: number;
  /** Larger frames are scaled to this many pixels on the longer side. */
  maxSide: number;
  /** Leaves out frames that hardly differ from the one before, cuts borders, leaves out title cards. */
  filters: { similar: boolean; borders: boolean; flat: boolean };
  seed: number;
}

/** The pictures of one video. */
export interface RelatedPictures {
  pictures: (Picture & { /** Number of the frame in the video. */ frame: number; seconds: number })[];
  /** Seconds between the frames that were looked at. */
  spacingSeconds: number;
}

/** With fewer different pictures there is nothing to compare. */
const FEWEST = 2;
/** Starts that are tried in a long video until enough frames survive the filters (VINCE's code). */
const TRIES = 10;

/**
 * Chooses the pictures of a video as R2V2 was built (VINCE; CCL's note 4.2): frames some seconds apart from a random
 * start, without near-duplicates, borders and title cards, then consecutive survivors. What is drawn depends on the seed
 * and the video's id alone.
 *
 * @returns null when fewer than two frames survive in every try
 * @throws VideoError for a file that can't be decoded
 */
export async function relatedPictures(
  video: { id: string; path: string },
  choice: PictureChoice,
  signal?: AbortSignal,
): Promise<RelatedPictures | null> {
  const info = await probe(video.path, { signal });
  const length = info.duration ?? (info.frameCount ?? 1) / info.averageFrameRate;
  const key = createHash('sha256').update(video.id).digest().readUInt32LE(0);
  const isShort = length <= choice.mostFrames * choice.spacingSeconds;
  let best: RelatedPictures | null = null;
  for (let attempt = 0; attempt < (isShort ? 1 : TRIES); attempt++) {
    const random = randomStream(choice.seed, 'r2v2', key, attempt);
    const { positions, spacing } = spacedPositions({
      length: Math.max(length, 1e-3),
      uniform: random.uniform(),
      spacing: choice.spacingSeconds,
      most: choice.mostFrames,
      wanted: choice.framesPerVideo,
    });
    const { data, height, width, timestamps } = await decode(video.path, {
      info,
      signal,
      start: positions[0],
      fps: 1 / spacing,
      maxFrames: positions.length,
      size: fitted(info, choice.maxSide),
    });
    const batch = { data, frames: timestamps.length, height, width };
    const { frames, inside } = filtered(batch, choice.filters);
    const chosen = consecutiveSurvivors(frames, { wanted: choice.framesPerVideo, uniform: random.uniform() });
    if (chosen.length > (best?.pictures.length ?? FEWEST - 1)) {
      const pictures = chosen.map((frame) => ({
        ...cut(batch, frame, inside),
        frame: Math.round(timestamps[frame]! * info.averageFrameRate),
        seconds: timestamps[frame]!,
      }));
      best = { pictures, spacingSeconds: spacing };
    }
    if (best?.pictures.length === choice.framesPerVideo) break;
  }
  return best;
}

/** Frames that survive the filters, in VINCE's order, and what is left of them without borders. */
export function filtered(
  batch: FrameBatch,
  { similar, borders, flat }: PictureChoice['filters'],
): { frames: number[]; inside: Inside } {
  const different = similar ? distinctFrames(batch) : [...Array(batch.frames).keys()];
  const kept = selected(batch, different);
  const inside = borders ? withoutBorder(kept) : { top: 0, left: 0, bottom: batch.height, right: batch.width };
  const detailed = flat ? detailedFrames(cropped(kept, inside)) : [...different.keys()];
  return { frames: detailed.map((place) => different[place]!), inside };
}

function selected({ data, height, width }: FrameBatch, frames: readonly number[]): FrameBatch {
  const bytes = height * width * 3;
  const chosen = new Uint8Array(frames.length * bytes);
  for (const [place, frame] of frames.entries()) {
    chosen.set(data.subarray(frame * bytes, (frame + 1) * bytes), place * bytes);
  }
  return { data: chosen, frames: frames.length, height, width };
}

function cropped(batch: FrameBatch, inside: Inside): FrameBatch {
  const pictures = Array.from({ length: batch.frames }, (_, frame) => cut(batch, frame, inside));
  const [height, width] = [inside.bottom - inside.top, inside.right - inside.left];
  return { data: Buffer.concat(pictures.map(({ data }) => data)), frames: batch.frames, height, width };
}

function cut({ data, height, width }: FrameBatch, frame: number, { top, bottom, left, right }: Inside): Picture {
  const rows = Array.from({ length: bottom - top }, (_, y) => {
    const start = ((frame * height + top + y) * width + left) * 3;
    return data.subarray(start, start + (right - left) * 3);
  });
  return { data: Buffer.concat(rows), height: bottom - top, width: right - left };
}

/** The size with a longer side of at most `maxSide`. */
function fitted({ height, width }: { height: number; width: number }, maxSide: number) {
  const factor = Math.min(1, maxSide / Math.max(height, width));
  return { height: Math.max(1, Math.round(height * factor)), width: Math.max(1, Math.round(width * factor)) };
}
