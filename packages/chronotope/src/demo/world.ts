import type { RandomStream } from '../random.js';

/** Frames in which everything sways to and fro once. */
const LOOP = 8;

/** A value at a time in 0..1, from the first frame to the last. */
export type Curve = (time: number) => number;

/** Red, green and blue; 0 is black, 1 full. */
export type Colour = readonly [red: number, green: number, blue: number];

/** A sine wave of colour that travels over the background. */
export interface BackgroundWave {
  /** Angle at which it travels, in radians. */
  direction: Curve;
  /** In picture widths. */
  wavelength: number;
  /** In radians. */
  phase: Curve;
  /** What the crest adds to the background. */
  colour: Colour;
}

/**
 * Everything in a demo video that has nothing to do with its class: where the figure is, its colour, what is behind it.
 * Positions and lengths are in picture widths, angles in radians.
 */
export interface World {
  x: Curve;
  y: Curve;
  angle: Curve;
  radius: Curve;
  /** How much the figure is squeezed along `stretchAngle` and stretched across it; 1 leaves it alone. */
  stretch: Curve;
  stretchAngle: Curve;
  colour: (time: number) => Colour;
  background: (time: number) => Colour;
  waves: BackgroundWave[];
}

/**
 * Draws the world of one video. All of it sways in a loop of {@link LOOP} frames and drifts a little. A clip of eight
 * frames shows the whole loop, so nothing but the class tells the clips of a steady video apart or together: that the
 * similarity score separates the two kinds of class is built into these videos.
 *
 * @param frames length of the video
 */
export function drawWorld(random: RandomStream, frames: number): World {
  const cycles = (frames - 1) / LOOP;
  const draw = (): Curve => drawSway(random, cycles);
  const sway = {
    x: draw(),
    y: draw(),
    radius: draw(),
    stretch: draw(),
    saturation: draw(),
    value: draw(),
    angle: draw(),
    hue: draw(),
    backgroundHue: draw(),
    backgroundValue: draw(),
    stretchAngle: draw(),
  };
  const size = 0.3 * (1 + 0.15 * random.uniform(-1, 1));
  const start = {
    hue: random.uniform(),
    backgroundHue: random.uniform(),
    angle: random.uniform(),
    stretchAngle: random.uniform(),
  };
  const drift = {
    hue: random.uniform(-0.3, 0.3),
    backgroundHue: random.uniform(-0.3, 0.3),
    angle: random.uniform(-0.1, 0.1),
  };
  const hue: Curve = (t) => start.hue + drift.hue * t + 0.25 * sway.hue(t);
  const backgroundHue: Curve = (t) => start.backgroundHue + drift.backgroundHue * t + 0.25 * sway.backgroundHue(t);
  return {
    x: (t) => 0.5 + 0.12 * sway.x(t),
    y: (t) => 0.5 + 0.12 * sway.y(t),
    angle: (t) => 2 * Math.PI * (start.angle + drift.angle * t + 0.2 * sway.angle(t)),
    radius: (t) => size + 0.03 * sway.radius(t),
    stretch: (t) => 1 + 0.25 * sway.stretch(t),
    stretchAngle: (t) => Math.PI * (start.stretchAngle + 0.2 * sway.stretchAngle(t)),
    colour: (t) => fromHsv(hue(t), 0.65 + 0.3 * sway.saturation(t), 0.85 + 0.15 * sway.value(t)),
    background: (t) => fromHsv(backgroundHue(t), 0.5, 0.22 + 0.1 * sway.backgroundValue(t)),
    waves: Array.from({ length: 3 }, () => drawWave(random, cycles)),
  };
}

/** A smooth random curve in [-1, 1] that goes to and fro `cycles` times. */
function drawSway(random: RandomStream, cycles: number): Curve {
  const phase = random.uniform(0, 2 * Math.PI);
  const overtonePhase = random.uniform(0, 2 * Math.PI);
  return (t) => {
    const angle = 2 * Math.PI * cycles * t;
    return (Math.sin(angle + phase) + 0.5 * Math.sin(2 * angle + overtonePhase)) / 1.5;
  };
}

function drawWave(random: RandomStream, cycles: number): BackgroundWave {
  const amplitude = 0.1 * random.uniform(0.5, 1);
  const turning = drawSway(random, cycles);
  const direction = random.uniform();
  const wavelength = random.uniform(0.35, 1);
  const phase = random.uniform();
  const speed = random.chance(0.5) ? cycles : -cycles;
  const channel = (): number => amplitude * random.uniform(-1, 1);
  return {
    direction: (t) => 2 * Math.PI * (direction + 0.08 * turning(t)),
    wavelength,
    phase: (t) => 2 * Math.PI * (phase + speed * t),
    colour: [channel(), channel(), channel()],
  };
}

/** Hue (1 is once around the colour circle, any number allowed), saturation and value to red, green and blue. */
function fromHsv(hue: number, saturation: number, value: number): Colour {
  const channel = (offset: number): number => {
    const sector = (((offset + hue * 6) % 6) + 6) % 6;
    return value - value * saturation * Math.max(0, Math.min(sector, 4 - sector, 1));
  };
  return [channel(5), channel(3), channel(1)];
}
