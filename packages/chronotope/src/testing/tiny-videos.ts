import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { encode } from '@chronotope/video';
import { loadRecipe } from '../recipes/load.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';

const SIZE = 32;
const FRAMES = 40;

/** Settings with which the whole pipeline takes seconds, and the supervised network still learns two colours. */
export function tinyRecipe(): TimeBalanceRecipe {
  return loadRecipe('timebalance-demo', [
    ...['invariant', 'distinctive', 'student'].flatMap((pretext) => [
      `pretrain.${pretext}.epochs=1`,
      `pretrain.${pretext}.batch=4`,
    ]),
    ...['supervised', 'teacher', 'student'].map((stage) => `${stage}.batch=4`),
    'supervised.steps=30',
    'teacher.steps=2',
    'student.steps=2',
    'student.unlabelledBatch=4',
    'supervised.augment.hue.probability=0',
    'supervised.augment.channelPermutation=0',
    'supervised.augment.grayscale.probability=0',
    'evaluation.clips=2',
  ]);
}

/** Class folders of two colours: 2 labelled videos of each, 2 unlabelled ones, and a test video of each. */
export async function writeTinyVideos(folder: string): Promise<void> {
  for (const k of [0, 1]) {
    await writeFilm(path.join(folder, 'red', `r${k}.mp4`), true, k);
    await writeFilm(path.join(folder, 'blue', `b${k}.mp4`), false, k);
    await writeFilm(path.join(folder, '_unlabelled', `u${k}.mp4`), k === 0, 5 + k);
    await writeFilm(path.join(folder, '_test', k === 0 ? 'red' : 'blue', `t${k}.mp4`), k === 0, 9 + k);
  }
}

/** A film of one colour with a little noise. */
async function writeFilm(file: string, red: boolean, seed: number): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true });
  const frames = Uint8Array.from({ length: FRAMES * SIZE * SIZE * 3 }, (_, k) => {
    const bright = k % 3 === (red ? 0 : 2);
    return (bright ? 200 : 30) + ((k * 7 + seed * 13) % 20);
  });
  await encode(frames, file, { width: SIZE, height: SIZE, fps: 20 });
}
