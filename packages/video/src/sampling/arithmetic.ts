// Index arithmetic that several samplers share.

/** `count` indices from `start` on, `stride` apart. */
export function strided(start: number, count: number, stride: number): number[] {
  return Array.from({ length: count }, (_, i) => start + i * stride);
}

/** The entries of a timeline at the given indices. */
export function pick(timeline: readonly number[], indices: readonly number[]): number[] {
  return indices.map((index) => timeline[index]!);
}

/** NumPy's `linspace`: `count` numbers from `start` to `stop`, both included. */
export function linspace(start: number, stop: number, count: number): number[] {
  const step = count > 1 ? (stop - start) / (count - 1) : 0;
  return Array.from({ length: count }, (_, i) => (i > 0 && i === count - 1 ? stop : start + i * step));
}

/** Whole number in [0, room), or 0 when there is no room. */
export function drawStart(room: number, uniform: number): number {
  return room > 0 ? Math.floor(uniform * room) : 0;
}

/** Throws RangeError, by name, unless every number is a whole one of at least 1. */
export function requireCounts(counts: Record<string, number>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`${name} must be a whole number >= 1, not ${value}`);
  }
}

/** Throws RangeError unless the number is in [0, 1). */
export function requireUniform(uniform: number): void {
  if (!(uniform >= 0 && uniform < 1)) throw new RangeError(`uniform must be in [0, 1), not ${uniform}`);
}
