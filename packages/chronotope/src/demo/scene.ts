import { type RandomStream, randomStream } from '../random.js';
import { type Colour, fromHsv } from './colours.js';
import { type Curve, drawSway, SWAY_PERIOD } from './sway.js';

/** A wave of colour that travels over the background. */
export interface BackgroundWave {
  /** Angle across its crests, in radians. */
  direction: number;
  /** In picture widths. */
  wavelength: number;
  /** In radians. */
  phase: Curve;
  /** What the crest adds to the background. */
  colour: Colour;
  /** 0 for a sine; the larger, the closer to stripes with sharp edges. */
  sharpness: number;
}

/**
 * A place in which videos are taken: what is behind, darker than what happens in it, and where the light comes from.
 * Lengths are in picture widths.
 */
export interface Scene {
  background: (seconds: number) => Colour;
  waves: readonly BackgroundWave[];
  /** How much brighter it gets from the middle of the picture to its border, in the direction `angle`. */
  light: { slope: number; angle: number };
}

/**
 * The scene with a number. Videos of all classes are taken in every scene, so scenes say nothing about classes; those of
 * the test part are others than those of the training part.
 */
export function drawScene({ seed, part, index }: { seed: number; part: 'train' | 'test'; index: number }): Scene {
  const random = randomStream(seed, 'demo-scene', part === 'train' ? 0 : 1, index);
  const hue = random.uniform();
  const saturation = random.uniform(0.2, 0.6);
  const value = random.uniform(0.12, 0.3);
  const hueSway = drawSway(random);
  const valueSway = drawSway(random);
  return {
    background: (t) => fromHsv(hue + 0.08 * hueSway(t), saturation, value + 0.04 * valueSway(t)),
    waves: Array.from({ length: 3 }, () => drawWave(random)),
    light: { slope: random.uniform(0, 0.2), angle: random.uniform(0, 2 * Math.PI) },
  };
}

function drawWave(random: RandomStream): BackgroundWave {
  const amplitude = 0.09 * random.uniform(0.4, 1);
  const start = random.uniform();
  // Backwards, not at all, or forwards by one wavelength in the time in which everything else sways once.
  const speed = (random.int(3) - 1) / SWAY_PERIOD;
  const channel = (): number => amplitude * random.uniform(-1, 1);
  return {
    direction: random.uniform(0, 2 * Math.PI),
    wavelength: random.uniform(0.25, 1),
    phase: (t) => 2 * Math.PI * (start + speed * t),
    colour: [channel(), channel(), channel()],
    sharpness: random.chance(0.4) ? random.uniform(1, 4) : 0,
  };
}
