/**
 * The frame on screen at a time: the last one shown at or before it, the first one for earlier times.
 *
 * @param timestamps presentation times in seconds, ascending
 * @param time seconds, on the same clock
 */
export function frameAt(timestamps: readonly number[], time: number): number {
  let low = 0;
  let high = timestamps.length;
  // A container's clock ticks are rounded: a frame that is due within a tick counts as shown.
  const due = time + CLOCK_TOLERANCE;
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if (timestamps[middle]! <= due) low = middle;
    else high = middle;
  }
  return low;
}

const CLOCK_TOLERANCE = 1e-4;

/**
 * The video played at `fps` frames a second: the source frame on screen at each tick, from the first frame on. Frames
 * are repeated or left out as their times demand, so clips drawn on this timeline last equally long whatever the
 * source's frame rate, variable ones included.
 *
 * @param timestamps presentation time of every frame in seconds, ascending, at least one
 * @throws RangeError for no timestamps or a rate that is not positive
 */
export function timelineAtRate(timestamps: readonly number[], fps: number): number[] {
  if (timestamps.length === 0) throw new RangeError('a video without frames has no timeline');
  if (!(fps > 0 && Number.isFinite(fps))) throw new RangeError(`fps must be a positive number, not ${fps}`);
  const start = timestamps[0]!;
  const ticks = Math.max(1, Math.round(durationOf(timestamps) * fps));
  return Array.from({ length: ticks }, (_, k) => frameAt(timestamps, start + k / fps));
}

/** Seconds from the first frame's time to the last one's end; the last frame lasts as long as the others on average. */
function durationOf(timestamps: readonly number[]): number {
  const shown = timestamps.at(-1)! - timestamps[0]!;
  return timestamps.length > 1 ? (shown * timestamps.length) / (timestamps.length - 1) : 0;
}
