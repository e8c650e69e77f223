/**
 * The shapes of the demo videos as signed distances: negative inside, positive outside, zero on the outline.
 *
 * Coordinates are relative to the figure's centre, in units of its radius; y points down. Distances are exact near the
 * outline at best; that is enough to soften the edge.
 */
export type Shape = (x: number, y: number) => number;

/** One wave along the outline of a blob: `bulges` around it, `amplitude` in radii, `phase` in radians. */
export interface Lobe {
  bulges: number;
  amplitude: number;
  phase: number;
}

/** A disc with a wavy outline. */
export function blob(radius: number, lobes: readonly Lobe[]): Shape {
  const highest = lobes.reduce((sum, { amplitude }) => sum + Math.abs(amplitude), 0);
  return (x, y) => {
    const distance = Math.hypot(x, y);
    // Far from the outline its waves are not worth their cost.
    const outside = distance - radius * (1 + highest);
    if (outside > 0.5) return outside;
    const angle = Math.atan2(y, x);
    let outline = 1;
    for (const { bulges, amplitude, phase } of lobes) outline += amplitude * Math.cos(bulges * angle + phase);
    return distance - radius * outline;
  };
}

/** A disc of the given radius around a centre, by default the origin. */
export function disc(radius: number, centreX = 0, centreY = 0): Shape {
  return (x, y) => Math.hypot(x - centreX, y - centreY) - radius;
}

/** A rectangle around the origin. */
export function box(halfWidth: number, halfHeight: number): Shape {
  return (x, y) => Math.max(Math.abs(x) - halfWidth, Math.abs(y) - halfHeight);
}

/** A triangle with a tip on the left and the opposite side on the right; `slope` of the sides that meet in the tip. */
export function triangle(length: number, slope: number): Shape {
  const norm = Math.hypot(1, slope);
  const tip = -0.6 * length;
  return (x, y) => Math.max(x - tip - length, (Math.abs(y) - slope * (x - tip)) / norm);
}

/** Parallel bars that fill the plane: `period` from bar to bar, `width` of each. */
export function bars(period: number, width: number, offset = 0): Shape {
  return (x) => {
    const place = x - offset;
    return Math.abs(place - period * Math.round(place / period)) - width / 2;
  };
}

/** Straight pieces of the given width from point to point. */
export function line(points: readonly (readonly [x: number, y: number])[], width: number): Shape {
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY;
    for (let i = 1; i < points.length; i++) {
      const [fromX, fromY] = points[i - 1]!;
      const alongX = points[i]![0] - fromX;
      const alongY = points[i]![1] - fromY;
      const share = ((x - fromX) * alongX + (y - fromY) * alongY) / (alongX ** 2 + alongY ** 2);
      const clamped = Math.min(1, Math.max(0, share));
      nearest = Math.min(nearest, Math.hypot(x - fromX - clamped * alongX, y - fromY - clamped * alongY));
    }
    return nearest - width / 2;
  };
}

/** Everything within `halfAngle` radians of the direction of positive x. */
export function sector(halfAngle: number): Shape {
  const [cos, sin] = [Math.cos(halfAngle), Math.sin(halfAngle)];
  return (x, y) => Math.abs(y) * cos - x * sin;
}

/** Everything covered by at least one of the shapes. */
export function union(...shapes: Shape[]): Shape {
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY;
    for (const shape of shapes) nearest = Math.min(nearest, shape(x, y));
    return nearest;
  };
}

/** Everything covered by both shapes. */
export function intersect(a: Shape, b: Shape): Shape {
  return (x, y) => Math.max(a(x, y), b(x, y));
}

/** What is left of a shape when a hole is cut out. */
export function subtract(from: Shape, hole: Shape): Shape {
  return (x, y) => Math.max(from(x, y), -hole(x, y));
}

/** Shifted, in radii. */
export function moved(shape: Shape, byX: number, byY: number): Shape {
  return (x, y) => shape(x - byX, y - byY);
}

/** Turned by `angle` radians, clockwise as seen because y points down. */
export function turned(shape: Shape, angle: number): Shape {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return (x, y) => shape(x * cos + y * sin, -x * sin + y * cos);
}

/** Larger by a factor; distances grow with it. */
export function scaled(shape: Shape, factor: number): Shape {
  return (x, y) => factor * shape(x / factor, y / factor);
}

/** Squeezes by the root of `factor` along the direction `angle` and stretches as much across it: the area stays. */
export function stretched(shape: Shape, factor: number, angle: number): Shape {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const root = Math.sqrt(factor);
  return (x, y) => {
    const along = (x * cos + y * sin) * root;
    const across = (-x * sin + y * cos) / root;
    return shape(along * cos - across * sin, along * sin + across * cos);
  };
}

/** Only the border of a shape, `thickness` wide, inside its outline. */
export function hollow(shape: Shape, thickness: number): Shape {
  return (x, y) => {
    const distance = shape(x, y);
    return Math.max(distance, -distance - thickness);
  };
}
