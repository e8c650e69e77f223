import type { RandomStream } from '../random.js';
import { type Colour, fromHsv } from './colours.js';
import { blob, box, type Shape, turned } from './figures.js';
import { type Curve, drawSway } from './sway.js';

/** How the surface of a figure is coloured. */
export const SURFACES = ['plain', 'shaded', 'two-coloured'] as const;

/** Something small beside the figure that has nothing to do with the class. */
export interface Distractor {
  shape: Shape;
  radius: number;
  x: Curve;
  y: Curve;
  colour: Colour;
  /** Whether it changes its place. */
  moves: boolean;
}

/**
 * Everything that differs from video to video of one class and one scene and says nothing about either. Positions and
 * lengths are in picture widths, angles in radians, times in seconds.
 */
export interface Nuisance {
  x: Curve;
  y: Curve;
  angle: Curve;
  radius: Curve;
  /** How much the figure is squeezed along `stretchAngle` and stretched across it; 1 leaves it alone. */
  stretch: Curve;
  stretchAngle: number;
  /** Colours of the figure: the first, and the one its surface changes to. */
  colours: readonly [(seconds: number) => Colour, (seconds: number) => Colour];
  surface: (typeof SURFACES)[number];
  distractors: readonly Distractor[];
  camera: { x: Curve; y: Curve; zoom: Curve };
  /** Brightness of the whole picture; 1 is usual. */
  light: Curve;
}

/**
 * Draws what differs in one video. The figure sways in a loop and drifts a little, the camera is shaky, the light
 * changes, and other things stand or move about.
 *
 * @param duration of the video, in seconds
 */
export function drawNuisance(random: RandomStream, duration: number): Nuisance {
  const sway = (amplitude: number): Curve => {
    const curve = drawSway(random);
    return (t) => amplitude * curve(t);
  };
  const around =
    (middle: number, curve: Curve): Curve =>
    (t) =>
      middle + curve(t);
  const startAngle = random.uniform(-1, 1);
  return {
    x: around(0.5 + random.uniform(-0.04, 0.04), sway(0.04)),
    y: around(0.5 + random.uniform(-0.04, 0.04), sway(0.04)),
    angle: around(startAngle, sway(0.2)),
    radius: around(0.35 * random.uniform(0.88, 1.12), sway(0.02)),
    stretch: around(random.uniform(0.9, 1.1), sway(0.1)),
    stretchAngle: random.uniform(0, Math.PI),
    colours: drawColours(random),
    surface: SURFACES[random.int(SURFACES.length)]!,
    distractors: Array.from({ length: random.int(3) }, () => drawDistractor(random)),
    camera: drawCamera(random, duration),
    light: drawLight(random, duration),
  };
}

function drawColours(random: RandomStream): Nuisance['colours'] {
  const hue = random.uniform();
  const drift = random.uniform(-0.1, 0.1);
  const hueSway = drawSway(random);
  const saturation = random.uniform(0.3, 0.95);
  const value = random.uniform(0.8, 1);
  const otherHue = hue + random.uniform(0.2, 0.5);
  const otherValue = value - random.uniform(0.1, 0.3);
  return [
    (t) => fromHsv(hue + drift * t + 0.08 * hueSway(t), saturation, value),
    (t) => fromHsv(otherHue + drift * t + 0.08 * hueSway(t), saturation, otherValue),
  ];
}

/** It stays near the border, and stands, sways or goes along; which of these does not depend on anything else. */
function drawDistractor(random: RandomStream): Distractor {
  const place = random.uniform(0, 2 * Math.PI);
  const distance = random.uniform(0.44, 0.52);
  const speed = random.chance(0.5) ? random.uniform(-0.8, 0.8) : 0;
  const sway = drawSway(random);
  const swing = random.chance(0.5) ? random.uniform(0, 0.04) : 0;
  const angle = (t: number): number => place + speed * t;
  const round = random.chance(0.5);
  const turn = random.uniform(0, Math.PI);
  return {
    shape: round ? blob(1, []) : turned(box(0.9, random.uniform(0.5, 0.9)), turn),
    radius: random.uniform(0.04, 0.08),
    x: (t) => 0.5 + (distance + swing * sway(t)) * Math.cos(angle(t)),
    y: (t) => 0.5 + (distance + swing * sway(t)) * Math.sin(angle(t)),
    colour: fromHsv(random.uniform(), random.uniform(0.2, 0.9), random.uniform(0.6, 1)),
    moves: speed !== 0 || swing !== 0,
  };
}

/** A hand-held camera: a slow drift and a quick tremble. */
function drawCamera(random: RandomStream, duration: number): Nuisance['camera'] {
  const shake = random.uniform(0, 0.02);
  const axis = (): Curve => {
    const drift = random.uniform(-0.04, 0.04);
    const trembles = [0, 1].map(() => ({
      frequency: random.uniform(2, 6),
      phase: random.uniform(0, 2 * Math.PI),
    }));
    return (t) => {
      let place = drift * (t / duration - 0.5);
      for (const { frequency, phase } of trembles) place += 0.5 * shake * Math.sin(2 * Math.PI * frequency * t + phase);
      return place;
    };
  };
  const closer = random.uniform(-0.04, 0.04);
  return { x: axis(), y: axis(), zoom: (t) => 1 + closer * (2 * (t / duration) - 1) };
}

/** Steady, slowly brighter or darker, or flickering. */
function drawLight(random: RandomStream, duration: number): Curve {
  const level = random.uniform(0.85, 1.1);
  const change = random.chance(0.5) ? random.uniform(-0.25, 0.25) : 0;
  const flicker = random.chance(0.3) ? random.uniform(0.02, 0.08) : 0;
  const sway = drawSway(random);
  return (t) => level + change * (t / duration - 0.5) + flicker * sway(t);
}
