import type { RandomStream } from '../random.js';
import type { Change, Pose } from './demo-classes.js';
import {
  blob,
  box,
  disc,
  intersect,
  moved,
  type Shape,
  scaled,
  sector,
  stretched,
  subtract,
  turned,
  union,
} from './figures.js';

/**
 * The changes of the classes of time, each performed in several ways by a body of random outline. What a class is lies in
 * the order alone: its partner is the same change backwards.
 */

export const growing: Change = {
  /** In all directions. */
  swelling: (random) => {
    const body = drawBody(random);
    const smallest = random.uniform(0.25, 0.4);
    return (progress) => resting(body, smallest + (1.1 - smallest) * progress);
  },
  /** First in one direction, then in the other. */
  stretching: (random) => {
    const body = drawBody(random);
    const angle = random.uniform(0, Math.PI);
    return (progress) => resting(stretched(body, 1 + 1.4 * Math.sin(Math.PI * progress), angle), 0.35 + 0.7 * progress);
  },
  /** A cluster whose members get larger together. */
  crowding: (random) => {
    const members = drawPlaces(random, 3).map(([x, y]) => ({ body: drawBody(random), x, y }));
    return (progress) => {
      const size = 0.2 + 0.45 * progress;
      const spread = 0.45 + 0.2 * progress;
      return resting(union(...members.map(({ body, x, y }) => moved(scaled(body, size), x * spread, y * spread))), 1);
    };
  },
};

export const opening: Change = {
  /** A mouth opens. */
  mouth: (random) => {
    const body = drawBody(random);
    const facing = random.uniform(0, 2 * Math.PI);
    const widest = random.uniform(0.8, 1.1);
    return (progress) => resting(subtract(body, parted(turned(sector(widest * progress), facing), progress)), 1);
  },
  /** Two halves move apart. */
  gate: (random) => {
    const body = drawBody(random);
    const facing = random.uniform(0, Math.PI);
    const half = turned(body, -facing);
    const widest = random.uniform(0.45, 0.6);
    return (progress) => {
      const gap = widest * progress;
      const right = moved(
        intersect(half, (x) => -x),
        gap,
        0,
      );
      const left = moved(
        intersect(half, (x) => x),
        -gap,
        0,
      );
      return resting(turned(union(left, right), facing), 0.9);
    };
  },
  /** Three pieces spread like petals. */
  petals: (random) => {
    const facing = random.uniform(0, 2 * Math.PI);
    const petal = drawBody(random);
    return (progress) => {
      const petals = [0, 1, 2].map((k) => {
        const angle = facing + (2 * Math.PI * k) / 3;
        const distance = 0.15 + 0.7 * progress;
        return moved(scaled(petal, 0.5), distance * Math.cos(angle), distance * Math.sin(angle));
      });
      return resting(union(...petals), 1);
    };
  },
};

export const travelling: Change = {
  /** On a straight line. */
  sliding: (random) => {
    const body = drawBody(random);
    const reach = random.uniform(0.24, 0.3);
    const tilt = random.uniform(-0.1, 0.1);
    return (progress) => ({
      shape: body,
      scale: 0.55,
      x: reach * (2 * progress - 1),
      y: tilt * (2 * progress - 1),
      turn: 0,
    });
  },
  /** On an arch, upwards or downwards. */
  leaping: (random) => {
    const body = drawBody(random);
    const reach = random.uniform(0.24, 0.3);
    const height = random.uniform(0.15, 0.25) * (random.chance(0.5) ? 1 : -1);
    return (progress) => ({
      shape: body,
      scale: 0.5,
      x: reach * (2 * progress - 1),
      y: height * (4 * progress * (1 - progress) - 0.5),
      turn: 0,
    });
  },
  /** Two bodies, one after the other. */
  following: (random) => {
    const gap = random.uniform(0.8, 1.1);
    const bodies = [drawBody(random), drawBody(random)] as const;
    const shape = union(
      moved(scaled(bodies[0], 0.8), -gap, random.uniform(-0.4, 0.4)),
      moved(scaled(bodies[1], 0.8), gap, random.uniform(-0.4, 0.4)),
    );
    const reach = random.uniform(0.22, 0.27);
    return (progress) => ({ shape, scale: 0.42, x: reach * (2 * progress - 1), y: 0, turn: 0 });
  },
};

export const turning: Change = {
  /** A body with one long end turns where it is. */
  spinning: (random) => {
    const body = union(scaled(drawBody(random), 0.5), moved(box(0.6, 0.24), 0.65, 0));
    const { start, angle } = drawTurn(random);
    return (progress) => ({ ...resting(body, 1), turn: start + angle * progress });
  },
  /** A body goes round. */
  circling: (random) => {
    const body = drawBody(random);
    const { start, angle } = drawTurn(random);
    const radius = random.uniform(0.2, 0.26);
    return (progress) => {
      const at = start + angle * progress;
      return { shape: body, scale: 0.5, x: radius * Math.cos(at), y: radius * Math.sin(at), turn: 0 };
    };
  },
  /** A body with a gap rolls on the spot. */
  rolling: (random) => {
    const body = subtract(drawBody(random), sector(random.uniform(0.6, 0.8)));
    const { start, angle } = drawTurn(random);
    return (progress) => ({ ...resting(body, 0.95), turn: start + angle * progress });
  },
};

function resting(shape: Shape, scale: number): Pose {
  return { shape, scale, x: 0, y: 0, turn: 0 };
}

/** A gap that has no trace at progress 0. */
function parted(gap: Shape, progress: number): Shape {
  return (x, y) => gap(x, y) + 0.1 * (1 - progress);
}

/** About half a turn, from anywhere; angles grow clockwise because y points down. */
function drawTurn(random: RandomStream): { start: number; angle: number } {
  return { start: random.uniform(0, 2 * Math.PI), angle: random.uniform(0.45, 0.65) * 2 * Math.PI };
}

/** A body without a class: a wavy disc, a rounded star or a soft box. */
function drawBody(random: RandomStream): Shape {
  const kind = random.int(3);
  if (kind === 0) {
    return blob(
      0.95,
      [2, 3, 4].map((bulges) => drawLobe(random, bulges, random.uniform(-0.16, 0.16))),
    );
  }
  if (kind === 1) return blob(0.9, [drawLobe(random, 5 + random.int(3), random.uniform(0.12, 0.24))]);
  const angle = random.uniform(0, Math.PI);
  return turned(intersect(box(0.95, random.uniform(0.65, 0.9)), disc(1.15)), angle);
}

function drawLobe(
  random: RandomStream,
  bulges: number,
  amplitude: number,
): { bulges: number; amplitude: number; phase: number } {
  return { bulges, amplitude, phase: random.uniform(0, 2 * Math.PI) };
}

/** Places around the centre at a distance of 1, roughly evenly. */
function drawPlaces(random: RandomStream, count: number): [x: number, y: number][] {
  const start = random.uniform(0, 2 * Math.PI);
  return Array.from({ length: count }, (_, k) => {
    const angle = start + (2 * Math.PI * (k + random.uniform(-0.2, 0.2))) / count;
    return [Math.cos(angle), Math.sin(angle)];
  });
}
