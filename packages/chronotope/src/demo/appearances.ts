import type { RandomStream } from '../random.js';
import type { Appearance } from './demo-classes.js';
import {
  bars,
  box,
  disc,
  hollow,
  intersect,
  line,
  type Shape,
  stretched,
  subtract,
  triangle,
  turned,
  union,
} from './figures.js';

/** The figures of the classes of appearance, each in several ways, and each way with proportions of its own. */

export const drawRing: Appearance = {
  round: (random) => hollow(disc(1), random.uniform(0.3, 0.5)),
  oval: (random) => stretched(hollow(disc(1), random.uniform(0.3, 0.42)), random.uniform(1.5, 1.9), 0),
  angular: (random) => hollow(polygon(5 + random.int(2), 1), random.uniform(0.3, 0.42)),
};

export const drawBar: Appearance = {
  solid: (random) => box(1.15, random.uniform(0.22, 0.36)),
  hollow: (random) => hollow(box(1.15, random.uniform(0.36, 0.44)), 0.2),
  rounded: (random) =>
    line(
      [
        [-0.9, 0],
        [0.9, 0],
      ],
      random.uniform(0.45, 0.7),
    ),
};

export const drawWedge: Appearance = {
  solid: (random) => triangle(1.9, random.uniform(0.5, 0.62)),
  hollow: (random) => hollow(triangle(2.1, random.uniform(0.55, 0.65)), 0.28),
  slender: (random) => triangle(2.2, random.uniform(0.28, 0.36)),
};

export const drawStripes: Appearance = {
  disc: (random) => intersect(disc(1.1), stripesOf(random)),
  square: (random) => intersect(box(0.95, 0.95), stripesOf(random)),
  lens: (random) => intersect(stretched(disc(1.05), 1.8, Math.PI / 2), stripesOf(random)),
  diamond: (random) => intersect(turned(box(0.95, 0.95), Math.PI / 4), stripesOf(random)),
};

function stripesOf(random: RandomStream): Shape {
  const period = random.uniform(0.56, 0.72);
  return bars(period, period * random.uniform(0.42, 0.58), random.uniform(0, period));
}

export const drawCrescent: Appearance = {
  moon: (random) => subtract(disc(1.05), disc(0.85, random.uniform(0.45, 0.65), 0)),
  arc: (random) => {
    const cut = random.uniform(0, 0.3);
    return subtract(hollow(disc(1.05), random.uniform(0.3, 0.42)), (x) => cut - x);
  },
  hooked: (random) => subtract(disc(1.05), disc(random.uniform(0.66, 0.74), 0.45, 0.12)),
};

export const drawDots: Appearance = {
  square: (random) => dotsAt(around(4, 0.85), random.uniform(0.32, 0.4)),
  circle: (random) => dotsAt(around(5 + random.int(2), 0.9), random.uniform(0.26, 0.34)),
  scattered: (random) => {
    const turns = random.uniform(-0.25, 0.25);
    const places = around(5, 0.9).map(([x, y], i) => [x * (0.8 + 0.25 * (i % 2)) + turns * y, y] as const);
    return dotsAt(places, random.uniform(0.28, 0.34));
  },
};

export const drawCross: Appearance = {
  plus: (random) => crossOf(4, random.uniform(0.38, 0.52)),
  saltire: (random) => stretched(crossOf(4, random.uniform(0.36, 0.48)), random.uniform(1.3, 1.6), Math.PI / 4),
  hollow: (random) => hollow(crossOf(4, random.uniform(0.62, 0.7)), 0.24),
};

export const drawZigzag: Appearance = {
  three: (random) => zigzagOf(3, random),
  four: (random) => zigzagOf(4, random),
  five: (random) => zigzagOf(5, random),
};

function zigzagOf(pieces: number, random: RandomStream): Shape {
  const height = random.uniform(0.6, 0.8);
  const width = random.uniform(0.26, 0.34);
  const points = Array.from({ length: pieces + 1 }, (_, i) => {
    return [-1.1 + (2.2 * i) / pieces, i % 2 === 0 ? height : -height] as const;
  });
  return line(points, width);
}

function crossOf(arms: number, width: number): Shape {
  return union(...around(arms, 1.1).map((tip) => line([[0, 0], tip], width)));
}

function dotsAt(places: readonly (readonly [number, number])[], radius: number): Shape {
  return union(...places.map(([x, y]) => disc(radius, x, y)));
}

/** Points in equal distances on a circle. */
function around(count: number, radius: number): [x: number, y: number][] {
  return Array.from({ length: count }, (_, i) => {
    const angle = (2 * Math.PI * i) / count;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

/** A regular polygon around the circle of the given radius. */
function polygon(sides: number, radius: number): Shape {
  const normals = around(sides, 1);
  return (x, y) => {
    let farthest = Number.NEGATIVE_INFINITY;
    for (const [alongX, alongY] of normals) farthest = Math.max(farthest, x * alongX + y * alongY);
    return farthest - radius;
  };
}
