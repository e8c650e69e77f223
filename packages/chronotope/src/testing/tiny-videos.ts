import path from 'node:path';
import { loadRecipeOf } from '../recipes/load.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import { writeFilm } from './write-film.js';

/** Settings with which the whole pipeline takes seconds, and the supervised network still learns two colours. */
export function tinyRecipe(): TimeBalanceRecipe {
  return loadRecipeOf('timebalance', 'timebalance-demo', [
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
