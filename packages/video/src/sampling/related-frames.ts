import { drawStart, requireCounts, requireUniform, strided } from './arithmetic.js';

// The few frames, seconds apart, that stand for a video when images are learnt from it: R2V2's rule (VINCE), on which
// CCL (ICCV 2021) trains.

/** Positions of frames to look at, in the unit of the length they were drawn for. */
export interface SpacedPositions {
  positions: number[];
  /** Distance between them: the one asked for, or less in a short video. */
  spacing: number;
}

/**
 * At most `most` positions, `spacing` apart, from a random start where the video is longer than they span.
 *
 * In the published code the unit is a frame (`spacing` 150, round down); seconds (`spacing` 5, then {@link frameAt})
 * make it the same for every frame rate. A video shorter than `wanted` spacings gets a spacing of a `wanted`-th of its
 * length, where the published code gives up.
 *
 * @param length of the video, in frames or in seconds
 */
export function spacedPositions({
  length,
  uniform,
  spacing,
  most = 10,
  wanted = 4,
}: {
  length: number;
  uniform: number;
  spacing: number;
  most?: number;
  wanted?: number;
}): SpacedPositions {
  requireCounts({ most, wanted });
  requireUniform(uniform);
  if (!(length > 0 && spacing > 0)) throw new RangeError(`length ${length} and spacing ${spacing} must be positive`);
  const distance = Math.min(spacing, length / wanted);
  const room = length - most * distance;
  const count = Math.min(most, Math.ceil(length / distance - 1e-9));
  return { positions: strided(room > 0 ? uniform * room : 0, count, distance), spacing: distance };
}

/**
 * `wanted` consecutive survivors of the frame filters, from a random one on; all of them where fewer survive.
 *
 * @param kept what the filters left, in order of time
 */
export function consecutiveSurvivors<Frame>(
  kept: readonly Frame[],
  { wanted = 4, uniform }: { wanted?: number; uniform: number },
): Frame[] {
  requireUniform(uniform);
  const start = drawStart(kept.length - wanted + 1, uniform);
  return kept.slice(start, start + wanted);
}

/** What a training step of CCL sees of a video's frames. */
export interface QueryAndCandidates {
  /** The frame that two augmentations are made of. */
  query: number;
  /** Frames of one augmentation each: where the positive is chosen from. */
  candidates: number[];
}

/**
 * One frame at random for query and key, and candidates without replacement among themselves but independently of it,
 * so that the query's frame may be among them (published code). `'all'` gives every frame, the query's first and the
 * others in order. With `others`, the query's frame is never among the candidates.
 *
 * @param uniforms from [0, 1): one for the query, then one for each candidate
 * @throws RangeError for more candidates than frames
 */
export function queryAndCandidates({
  frameCount,
  candidates,
  uniforms,
  others = false,
}: {
  frameCount: number;
  candidates: number | 'all';
  uniforms: readonly number[];
  others?: boolean;
}): QueryAndCandidates {
  requireCounts({ frameCount });
  for (const uniform of uniforms) requireUniform(uniform);
  const query = drawStart(frameCount, uniforms[0]!);
  const all = strided(0, frameCount, 1);
  const rest = all.filter((frame) => frame !== query);
  if (candidates === 'all') return { query, candidates: others ? rest : [query, ...rest] };
  const pool = others ? rest : all;
  if (!(candidates >= 1 && candidates <= pool.length)) {
    throw new RangeError(`${candidates} different frames from a video of ${frameCount}`);
  }
  const drawn = Array.from(
    { length: candidates },
    (_, k) => pool.splice(drawStart(pool.length, uniforms[k + 1]!), 1)[0]!,
  );
  return { query, candidates: drawn };
}
