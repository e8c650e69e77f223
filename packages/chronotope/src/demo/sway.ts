import type { RandomStream } from '../random.js';

/** A value at a time in seconds. */
export type Curve = (seconds: number) => number;

/** Seconds in which the things of a demo video sway to and fro once. */
export const SWAY_PERIOD = 0.4;

/** A smooth random curve in [-1, 1] that goes to and fro once in {@link SWAY_PERIOD}. */
export function drawSway(random: RandomStream): Curve {
  const phase = random.uniform(0, 2 * Math.PI);
  const overtonePhase = random.uniform(0, 2 * Math.PI);
  return (seconds) => {
    const angle = (2 * Math.PI * seconds) / SWAY_PERIOD;
    return (Math.sin(angle + phase) + 0.5 * Math.sin(2 * angle + overtonePhase)) / 1.5;
  };
}
