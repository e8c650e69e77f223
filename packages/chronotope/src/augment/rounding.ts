import type { FrameSize } from './clip-augmentation.js';

/** The nearest integer, halves to the even one, as Python rounds. */
export function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** A fraction of a side in whole pixels, rounded down: at least 1 and at most the side. */
export function cropSide(fraction: number, side: number): number {
  return Math.min(side, Math.max(1, Math.trunc(fraction * side)));
}

/** A frame's size when its short side is scaled to `shortSide` pixels; the long side is rounded down. */
export function scaledSize({ height, width }: FrameSize, shortSide: number): FrameSize {
  return height < width
    ? { height: shortSide, width: Math.trunc((shortSide * width) / height) }
    : { height: Math.trunc((shortSide * height) / width), width: shortSide };
}
