import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePicture, type Picture } from '@chronotope/video';
import { ChronotopeError } from '../errors.js';
import { type RandomStream, randomStream } from '../random.js';
import { interrupted } from '../training/fit.js';
import { writeFileAtomic } from '../training/json-files.js';
import { type Progress, silentProgress } from '../training/progress.js';

/** Settings of {@link writeDemoSequences}. */
export interface WriteDemoSequencesOptions {
  /** Default 1. */
  seed?: number;
  /** Sequences to train on. Default 16. */
  train?: number;
  /** Sequences to test on. Default 8. */
  test?: number;
  /** Frames of each. Default 40. */
  frames?: number;
  progress?: Progress;
  /** Stops the work when aborted; complete sequences stay. */
  signal?: AbortSignal;
}

const WIDTH = 240;
const HEIGHT = 160;
/** All of an object is visible. */
const FULL_COVER = 8;

/**
 * Writes image sequences in the layout of GOT-10k, `train/` and `val/`: an object with a texture of its own moves, grows and
 * shrinks over a background with another texture that drifts, past a second object that looks different. Colours say
 * nothing: on the average all of them are gray. Sequences that exist are kept.
 *
 * @throws ChronotopeError `folder-not-empty` when the folder holds something else, `interrupted`
 */
export async function writeDemoSequences(folder: string, options: WriteDemoSequencesOptions = {}): Promise<void> {
  const { seed = 1, train = 16, test = 8, frames = 40, progress = silentProgress, signal } = options;
  await requireEmptyOrDemo(folder);
  const planned = [
    ...Array.from({ length: train }, (_, index) => ({ part: 'train', index })),
    ...Array.from({ length: test }, (_, index) => ({ part: 'val', index })),
  ];
  const task = progress.begin('writing demo sequences', planned.length, 'sequences');
  for (const [done, { part, index }] of planned.entries()) {
    if (signal?.aborted) throw interrupted();
    const name = `demo_${String(index + 1).padStart(4, '0')}`;
    await writeSequence(join(folder, part, name), randomStream(seed, `demo-sequence-${part}`, index), frames);
    task.update(done + 1);
  }
  for (const part of ['train', 'val']) {
    const names = planned.filter((one) => one.part === part).map(({ index }) => index + 1);
    const lines = names.map((number) => `demo_${String(number).padStart(4, '0')}\n`);
    writeFileAtomic(join(folder, part, 'list.txt'), lines.join(''));
  }
  task.end();
}

async function requireEmptyOrDemo(folder: string): Promise<void> {
  const others = (existsSync(folder) ? await readdir(folder) : []).filter((name) => !['train', 'val'].includes(name));
  if (others.length === 0) return;
  throw new ChronotopeError('folder-not-empty', `${folder} holds other files, such as ${others[0]}`, {
    hint: 'Choose a new or empty folder.',
  });
}

/** The boxes are written last: a sequence that has them is complete. */
async function writeSequence(folder: string, random: RandomStream, frames: number): Promise<void> {
  const truth = join(folder, 'groundtruth.txt');
  if (existsSync(truth)) return;
  await mkdir(folder, { recursive: true });
  const scene = drawScene(random);
  const boxes: string[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const { picture, box } = renderScene(scene, frame);
    const jpeg = await encodePicture(picture, { format: 'jpeg', quality: 92 });
    await writeFile(join(folder, `${String(frame + 1).padStart(8, '0')}.jpg`), jpeg);
    boxes.push(box.map((value) => value.toFixed(4)).join(','));
  }
  await writeFile(join(folder, 'cover.label'), `${FULL_COVER}\n`.repeat(frames));
  await writeFile(join(folder, 'meta_info.ini'), `[METAINFO]\nobject_class: ${scene.object.shape}\n`);
  writeFileAtomic(truth, `${boxes.join('\n')}\n`);
}

/** Gray levels of a place, as a sum of waves in each colour. */
type Texture = readonly { x: number; y: number; phase: number; amplitudes: readonly [number, number, number] }[];

interface Body {
  shape: 'disc' | 'box';
  texture: Texture;
  /** Half of the mean width and height in pixels. */
  radius: readonly [number, number];
  /** Middle of its path, how far it swings, and how fast, in pixels and radians a frame. */
  path: readonly { middle: number; swing: number; speed: number; phase: number }[];
  /** How its size swings: share and radians a frame. */
  growth: { share: number; speed: number; phase: number };
}

interface Scene {
  background: Texture;
  drift: readonly [number, number];
  object: Body;
  distractor: Body;
}

function drawScene(random: RandomStream): Scene {
  return {
    background: drawTexture(random, 0.05, 0.25),
    drift: [random.uniform(-0.8, 0.8), random.uniform(-0.8, 0.8)],
    object: drawBody(random),
    distractor: drawBody(random),
  };
}

function drawBody(random: RandomStream): Body {
  const swing = (length: number) => ({
    middle: length * random.uniform(0.42, 0.58),
    swing: length * random.uniform(0.12, 0.26),
    speed: random.uniform(0.05, 0.14),
    phase: random.uniform(0, 2 * Math.PI),
  });
  return {
    shape: random.chance(0.5) ? 'disc' : 'box',
    texture: drawTexture(random, 0.15, 0.6),
    radius: [random.uniform(14, 22), random.uniform(14, 22)],
    path: [swing(WIDTH), swing(HEIGHT)],
    growth: { share: random.uniform(0, 0.2), speed: random.uniform(0.03, 0.08), phase: random.uniform(0, 6) },
  };
}

/** @param slowest and fastest radians a pixel */
function drawTexture(random: RandomStream, slowest: number, fastest: number): Texture {
  return Array.from({ length: 5 }, () => {
    const frequency = random.uniform(slowest, fastest);
    const direction = random.uniform(0, 2 * Math.PI);
    const amplitude = () => random.uniform(-32, 32);
    return {
      x: frequency * Math.cos(direction),
      y: frequency * Math.sin(direction),
      phase: random.uniform(0, 2 * Math.PI),
      amplitudes: [amplitude(), amplitude(), amplitude()] as const,
    };
  });
}

/** @returns the picture, and the object's box with the top left pixel at (1, 1) */
function renderScene({ background, drift, object, distractor }: Scene, frame: number) {
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  const places = [placeOf(object, frame), placeOf(distractor, frame)] as const;
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const at = (y * WIDTH + x) * 3;
      if (covers(object, places[0], x, y)) paint(data, at, object.texture, ...onBody(places[0], x, y));
      else if (covers(distractor, places[1], x, y)) paint(data, at, distractor.texture, ...onBody(places[1], x, y));
      else paint(data, at, background, x + drift[0] * frame, y + drift[1] * frame);
    }
  }
  const picture: Picture = { data, height: HEIGHT, width: WIDTH };
  const [{ x, y, width, height }] = places;
  return { picture, box: [x - width + 1, y - height + 1, 2 * width, 2 * height] };
}

/** Middle, half width and half height in a frame, and the size relative to the mean. */
function placeOf({ radius, path, growth }: Body, frame: number) {
  const [x, y] = path.map(({ middle, swing, speed, phase }) => middle + swing * Math.sin(speed * frame + phase));
  const scale = 1 + growth.share * Math.sin(growth.speed * frame + growth.phase);
  return { x: x!, y: y!, width: radius[0] * scale, height: radius[1] * scale, scale };
}

type Place = ReturnType<typeof placeOf>;

function covers({ shape }: Body, place: Place, x: number, y: number): boolean {
  const [dx, dy] = [(x - place.x) / place.width, (y - place.y) / place.height];
  return shape === 'disc' ? dx ** 2 + dy ** 2 <= 1 : Math.max(Math.abs(dx), Math.abs(dy)) <= 1;
}

/** Where on a body a pixel lies, in pixels of the body at its mean size. */
function onBody({ x, y, scale }: Place, column: number, row: number): [number, number] {
  return [(column - x) / scale, (row - y) / scale];
}

function paint(data: Uint8Array, at: number, texture: Texture, x: number, y: number): void {
  const values = [128, 128, 128];
  for (const wave of texture) {
    const height = Math.sin(wave.x * x + wave.y * y + wave.phase);
    for (let channel = 0; channel < 3; channel++) values[channel]! += wave.amplitudes[channel]! * height;
  }
  for (let channel = 0; channel < 3; channel++) data[at + channel] = Math.min(255, Math.max(0, values[channel]!));
}
