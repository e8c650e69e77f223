import { randomStream } from '../random.js';
import { demoClasses, type Figure, type Scene } from './demo-classes.js';
import type { Shape } from './figures.js';
import { type BackgroundWave, drawWorld, type World } from './world.js';

/** Frames of a demo video. */
export const demoFrames = 40;
/** Width and height of a demo video in pixels. */
export const demoSize = 64;
/** Frames per second. */
export const demoFrameRate = 20;

/** Names one demo video; the same name always gives the same video. */
export interface DemoVideoName {
  /** The seed of the data set. */
  seed: number;
  part: 'train' | 'test';
  /** Position in `demoClasses`. */
  classIndex: number;
  /** Number of the video within its class and part, from 0. */
  index: number;
}

/**
 * The frames of one demo video: uint8 R,G,B, `[T, H, W, 3]` with T = {@link demoFrames}, H = W = {@link demoSize}.
 * They depend on the arguments only.
 *
 * @throws {RangeError} when there is no such class, or for a bad seed or index
 */
export function generateDemoVideo(name: DemoVideoName): Uint8Array {
  const { scene, world } = drawDemoVideo(name);
  const frameBytes = demoSize * demoSize * 3;
  const video = new Uint8Array(demoFrames * frameBytes);
  for (let t = 0; t < demoFrames; t++) {
    renderFrame(video.subarray(t * frameBytes, (t + 1) * frameBytes), t / (demoFrames - 1), world, scene);
  }
  return video;
}

/**
 * What happens in one demo video, and where.
 *
 * @throws {RangeError} as {@link generateDemoVideo}
 */
export function drawDemoVideo({ seed, part, classIndex, index }: DemoVideoName): { scene: Scene; world: World } {
  const demoClass = demoClasses[classIndex];
  if (!demoClass) throw new RangeError(`class ${classIndex}: the demo has the classes 0..${demoClasses.length - 1}`);
  const random = randomStream(seed, 'demo-video', part === 'train' ? 0 : 1, classIndex, index);
  const scene = demoClass.scene(random);
  return { scene, world: drawWorld(random, demoFrames) };
}

/** Width of the soft edge of a figure, in picture widths. */
const EDGE = 1.5 / demoSize;

/** Draws the figure over the background into `frame`, uint8 `[H, W, 3]`. */
function renderFrame(frame: Uint8Array, time: number, world: World, scene: Scene): void {
  const coverage = coverageAt(time, world, scene(time));
  const colour = world.colour(time);
  const background = world.background(time);
  const waves = world.waves.map((wave) => ({ colour: wave.colour, height: waveHeight(time, wave) }));
  const behind = new Float64Array(3);
  let offset = 0;
  for (let row = 0; row < demoSize; row++) {
    for (let column = 0; column < demoSize; column++) {
      const x = (column + 0.5) / demoSize;
      const y = (row + 0.5) / demoSize;
      for (let channel = 0; channel < 3; channel++) behind[channel] = background[channel]!;
      for (const wave of waves) {
        const height = wave.height(x, y);
        for (let channel = 0; channel < 3; channel++) behind[channel]! += wave.colour[channel]! * height;
      }
      const alpha = coverage(x, y);
      for (let channel = 0; channel < 3; channel++) {
        const value = behind[channel]! + alpha * (colour[channel]! - behind[channel]!);
        frame[offset++] = 255 * Math.min(1, Math.max(0, value));
      }
    }
  }
}

function waveHeight(time: number, wave: BackgroundWave): Shape {
  const frequency = (2 * Math.PI) / wave.wavelength;
  const alongX = frequency * Math.cos(wave.direction(time));
  const alongY = frequency * Math.sin(wave.direction(time));
  const phase = wave.phase(time);
  return (x, y) => Math.sin(alongX * x + alongY * y + phase);
}

/** How much of the figure's colour each point of the picture gets, 0..1. */
function coverageAt(time: number, world: World, { shape, opacity, scale }: Figure): (x: number, y: number) => number {
  const radius = world.radius(time) * scale;
  const centreX = world.x(time);
  const centreY = world.y(time);
  const placed = stretched(rotated(shape, world.angle(time)), world.stretch(time), world.stretchAngle(time));
  const edge = EDGE / radius;
  return (x, y) => {
    const distance = placed((x - centreX) / radius, (y - centreY) / radius);
    return opacity * Math.min(1, Math.max(0, 0.5 - distance / edge));
  };
}

function rotated(shape: Shape, angle: number): Shape {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return (x, y) => shape(x * cos + y * sin, -x * sin + y * cos);
}

/** Squeezes by the root of `factor` along the direction `angle` and stretches as much across it: the area stays. */
function stretched(shape: Shape, factor: number, angle: number): Shape {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const root = Math.sqrt(factor);
  return (x, y) => {
    const along = (x * cos + y * sin) * root;
    const across = (-x * sin + y * cos) / root;
    return shape(along * cos - across * sin, along * sin + across * cos);
  };
}
