import { randomStream } from '../random.js';
import type { Colour } from './colours.js';
import { demoClasses, type Performance, type Pose } from './demo-classes.js';
import { type Shape, stretched, turned } from './figures.js';
import { drawNuisance, type Nuisance } from './nuisance.js';
import { type BackgroundWave, drawScene, type Scene } from './scene.js';

/** Width and height of a demo video in pixels. */
export const demoSize = 64;
/** Frame rates of demo videos. */
export const demoFrameRates: readonly number[] = [15, 20, 24, 30];
/** Shortest and longest demo video in seconds. */
export const demoDurations: readonly [shortest: number, longest: number] = [1.5, 2.5];

/** Names one demo video; the same name always gives the same video. */
export interface DemoVideoName {
  /** The seed of the data set. */
  seed: number;
  part: 'train' | 'test';
  /** Position in `demoClasses`. */
  classIndex: number;
  /** Number of the video within its class and part, from 0; also the number of its scene, see {@link drawScene}. */
  index: number;
}

/** All there is to know about a demo video. */
export interface DemoVideoPlan {
  frameRate: number;
  frames: number;
  performance: Performance;
  scene: Scene;
  nuisance: Nuisance;
}

/**
 * What happens in one demo video, where, how long and at which frame rate. All of it is a function of time in seconds, so
 * that the frame rate decides only when frames are taken; the first is taken at 0.
 *
 * @throws {RangeError} when there is no such class, or for a bad seed or index
 */
export function planDemoVideo({ seed, part, classIndex, index }: DemoVideoName): DemoVideoPlan {
  const demoClass = demoClasses[classIndex];
  if (!demoClass) throw new RangeError(`class ${classIndex}: the demo has the classes 0..${demoClasses.length - 1}`);
  const random = randomStream(seed, 'demo-video', part === 'train' ? 0 : 1, classIndex, index);
  const frameRate = demoFrameRates[random.int(demoFrameRates.length)]!;
  const frames = Math.round(random.uniform(...demoDurations) * frameRate);
  const duration = (frames - 1) / frameRate;
  const scene = drawScene({ seed, part, index });
  const nuisance = drawNuisance(random, duration);
  return { frameRate, frames, scene, nuisance, performance: demoClass.perform(random, duration) };
}

/** The frames of one demo video: uint8 R,G,B, `[T, H, W, 3]` with H = W = {@link demoSize}. */
export function renderDemoVideo(plan: DemoVideoPlan): Uint8Array {
  const frameBytes = demoSize * demoSize * 3;
  const video = new Uint8Array(plan.frames * frameBytes);
  for (let k = 0; k < plan.frames; k++) {
    renderFrame(video.subarray(k * frameBytes, (k + 1) * frameBytes), k / plan.frameRate, plan);
  }
  return video;
}

/** Width of the soft edge of a figure, in picture widths. */
const EDGE = 1.5 / demoSize;

/** Draws everything as it is at a time into `frame`, uint8 `[H, W, 3]`: from the back to the front, then the light. */
function renderFrame(frame: Uint8Array, time: number, { scene, nuisance, performance }: DemoVideoPlan): void {
  const canvas = new Float32Array(frame.length);
  const [xs, ys] = cameraView(nuisance.camera, time);
  paintBackground(canvas, time, { scene, xs, ys });
  for (const { shape, radius, x, y, colour } of nuisance.distractors) {
    paintShape(canvas, {
      shape,
      radius,
      x: x(time),
      y: y(time),
      xs,
      ys,
      colours: [colour, colour],
      share: SHARES.plain(0),
    });
  }
  paintFigure(canvas, time, { pose: performance.action(time), nuisance, xs, ys });
  const light = lightAt(scene.light, nuisance.light(time));
  for (let row = 0, offset = 0; row < demoSize; row++) {
    for (let column = 0; column < demoSize; column++) {
      const brightness = 255 * light(column, row);
      for (let channel = 0; channel < 3; channel++, offset++) {
        frame[offset] = Math.min(255, Math.max(0, brightness * canvas[offset]!));
      }
    }
  }
}

/** Where the columns and rows of the picture lie in the scene. */
function cameraView({ x, y, zoom }: Nuisance['camera'], time: number): [xs: Float64Array, ys: Float64Array] {
  const along = (offset: number): Float64Array =>
    Float64Array.from({ length: demoSize }, (_, k) => 0.5 + ((k + 0.5) / demoSize - 0.5) / zoom(time) + offset);
  return [along(x(time)), along(y(time))];
}

function paintBackground(
  canvas: Float32Array,
  time: number,
  { scene, xs, ys }: { scene: Scene; xs: Float64Array; ys: Float64Array },
): void {
  const background = scene.background(time);
  for (let offset = 0; offset < canvas.length; offset++) canvas[offset] = background[offset % 3]!;
  for (const wave of scene.waves) addWave(canvas, time, { wave, xs, ys });
}

function addWave(
  canvas: Float32Array,
  time: number,
  { wave, xs, ys }: { wave: BackgroundWave; xs: Float64Array; ys: Float64Array },
): void {
  const { direction, wavelength, sharpness } = wave;
  const [red, green, blue] = wave.colour;
  const frequency = (2 * Math.PI) / wavelength;
  // sin(a + b) from the sines of rows and columns, which are few.
  const acrossRow = ys.map((y) => frequency * Math.sin(direction) * y + wave.phase(time));
  const [rowSin, rowCos] = [acrossRow.map(Math.sin), acrossRow.map(Math.cos)];
  const acrossColumn = xs.map((x) => frequency * Math.cos(direction) * x);
  const [columnSin, columnCos] = [acrossColumn.map(Math.sin), acrossColumn.map(Math.cos)];
  for (let row = 0, offset = 0; row < demoSize; row++) {
    for (let column = 0; column < demoSize; column++, offset += 3) {
      const sine = rowSin[row]! * columnCos[column]! + rowCos[row]! * columnSin[column]!;
      const height = (sine * (1 + sharpness)) / (1 + sharpness * Math.abs(sine));
      canvas[offset]! += red * height;
      canvas[offset + 1]! += green * height;
      canvas[offset + 2]! += blue * height;
    }
  }
}

function paintFigure(
  canvas: Float32Array,
  time: number,
  { pose, nuisance, xs, ys }: { pose: Pose; nuisance: Nuisance; xs: Float64Array; ys: Float64Array },
): void {
  const { stretch, stretchAngle, colours, surface } = nuisance;
  const angle = nuisance.angle(time) + pose.turn;
  paintShape(canvas, {
    shape: stretched(turned(pose.shape, angle), stretch(time), stretchAngle),
    radius: nuisance.radius(time) * pose.scale,
    x: nuisance.x(time) + pose.x,
    y: nuisance.y(time) + pose.y,
    xs,
    ys,
    colours: [colours[0](time), colours[1](time)],
    share: SHARES[surface](angle),
  });
}

/** How much of the second colour a place has, 0..1; the place is relative to the shape's centre, in radii. */
type ColourShare = (x: number, y: number) => number;

/** The surfaces of a figure that is turned by an angle. */
const SHARES: Readonly<Record<Nuisance['surface'], (angle: number) => ColourShare>> = {
  plain: () => () => 0,
  shaded: (angle) => turned((x) => Math.min(1, Math.max(0, 0.5 + 0.5 * x)), angle),
  'two-coloured': (angle) => turned((x) => (x > 0 ? 1 : 0), angle),
};

interface Painted {
  shape: Shape;
  /** In picture widths, as the place. */
  radius: number;
  x: number;
  y: number;
  /** Where the columns and rows of the picture lie. */
  xs: Float64Array;
  ys: Float64Array;
  colours: readonly [Colour, Colour];
  share: ColourShare;
}

/** Distances to a shape change at most this many times as fast as the place: outlines are waved and stretched. */
const STEEPEST = 3;

function paintShape(canvas: Float32Array, { shape, radius, x, y, xs, ys, colours, share }: Painted): void {
  const [one, other] = colours;
  const edge = EDGE / radius;
  const columnStep = (xs[1]! - xs[0]!) / radius;
  for (let row = 0; row < demoSize; row++) {
    const down = (ys[row]! - y) / radius;
    for (let column = 0; column < demoSize; column++) {
      const right = (xs[column]! - x) / radius;
      const distance = shape(right, down);
      if (distance >= edge / 2) {
        // Where the shape is far away, so it is from the next columns.
        column += Math.floor((distance - edge / 2) / (STEEPEST * columnStep));
        continue;
      }
      const alpha = Math.min(1, 0.5 - distance / edge);
      const mix = share(right, down);
      const offset = (row * demoSize + column) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const behind = canvas[offset + channel]!;
        const colour = one[channel]! + mix * (other[channel]! - one[channel]!);
        canvas[offset + channel] = behind + alpha * (colour - behind);
      }
    }
  }
}

/** How bright the light makes each pixel. */
function lightAt({ slope, angle }: Scene['light'], level: number): (column: number, row: number) => number {
  const alongX = (2 * slope * Math.cos(angle)) / demoSize;
  const alongY = (2 * slope * Math.sin(angle)) / demoSize;
  const start = level - (alongX + alongY) * (demoSize / 2);
  return (column, row) => start + alongX * column + alongY * row;
}
