/**
 * The figures of the demo videos as signed distances: negative inside, positive outside, zero on the outline.
 *
 * Coordinates are relative to the figure's centre, in units of its radius. Distances are exact near the outline at
 * best; that is enough to soften the edge.
 */
export type Shape = (x: number, y: number) => number;

export const ring: Shape = subtract(disc(1), disc(0.55));
export const bar: Shape = box(1.15, 0.32);
export const wedge: Shape = triangle(1.2);
export const stripes: Shape = intersect(disc(1.05), bars(0.66, 0.33));
export const crescent: Shape = subtract(disc(1), disc(0.85, 0.55, 0));
export const dots: Shape = union(
  disc(0.38, 0.62, 0.62),
  disc(0.38, -0.62, 0.62),
  disc(0.38, 0.62, -0.62),
  disc(0.38, -0.62, -0.62),
);

/** One wave along the outline of a blob: `amplitude` in radii, `phase` in radians. */
export interface Lobe {
  amplitude: number;
  phase: number;
}

/** A disc with a wavy outline: the first lobe makes two bulges around it, the second three, and so on. */
export function blob(radius: number, lobes: readonly Lobe[], centreX = 0, centreY = 0): Shape {
  return (x, y) => {
    const angle = Math.atan2(y - centreY, x - centreX);
    let outline = 1;
    for (let i = 0; i < lobes.length; i++) outline += lobes[i]!.amplitude * Math.cos((i + 2) * angle + lobes[i]!.phase);
    return Math.hypot(x - centreX, y - centreY) - radius * outline;
  };
}

/** Everything covered by at least one of the shapes. */
export function union(...shapes: Shape[]): Shape {
  return (x, y) => shapes.reduce((nearest, shape) => Math.min(nearest, shape(x, y)), Number.POSITIVE_INFINITY);
}

function intersect(a: Shape, b: Shape): Shape {
  return (x, y) => Math.max(a(x, y), b(x, y));
}

function subtract(from: Shape, hole: Shape): Shape {
  return (x, y) => Math.max(from(x, y), -hole(x, y));
}

function disc(radius: number, centreX = 0, centreY = 0): Shape {
  return (x, y) => Math.hypot(x - centreX, y - centreY) - radius;
}

function box(halfWidth: number, halfHeight: number): Shape {
  return (x, y) => Math.max(Math.abs(x) - halfWidth, Math.abs(y) - halfHeight);
}

/** Parallel bars that fill the plane: `period` from bar to bar, `width` of each. */
function bars(period: number, width: number): Shape {
  return (x) => Math.abs(x - period * Math.round(x / period)) - width / 2;
}

/** An equilateral triangle whose corners lie on the circle of the given radius. */
function triangle(radius: number): Shape {
  const inner = radius / 2;
  const slope = Math.sqrt(3) / 2;
  return (x, y) => Math.max(y - inner, slope * x - y / 2 - inner, -slope * x - y / 2 - inner);
}
