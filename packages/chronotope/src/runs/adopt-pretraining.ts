import { cpSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { ChronotopeError } from '../errors.js';
import { PRETRAINING_STAGES, pretrainingStages } from '../methods/timebalance/stages.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import type { RunFolder } from './run-folder.js';
import { classifierRecipe } from './run-recipe.js';

/** The settings that pre-trained networks depend on and that the rest of the run must share. */
const SHARED = ['frames', 'clips', 'inputSize', 'model'] as const;

/**
 * Copies the pre-trained networks of a finished or interrupted run into a new one, which then only needs its labels.
 * Stages that the new run has already are left alone; second networks of a kind, which few runs have, are trained where the
 * other run has none.
 *
 * @throws ChronotopeError `pretraining-missing` when the other run has not finished them, `pretraining-differs` when it
 *   used another network or other clips
 */
export function adoptPretraining(from: RunFolder, run: RunFolder, recipe: TimeBalanceRecipe): void {
  const other = classifierRecipe(from);
  const different = SHARED.filter((key) => !isDeepStrictEqual(other[key], recipe[key]));
  if (different.length > 0) {
    throw new ChronotopeError('pretraining-differs', `${from.folder} was trained with other ${different.join(', ')}`, {
      hint: 'Repeat those settings, or leave --pretrained out and train all stages.',
      details: { settings: different },
    });
  }
  for (const name of pretrainingStages(recipe)) {
    const stage = run.stage(name);
    if (stage.isDone) continue;
    const source = from.stage(name);
    const isExtra = !(PRETRAINING_STAGES as readonly string[]).includes(name);
    if (isExtra && !source.isDone) continue;
    if (!source.isDone) {
      throw new ChronotopeError('pretraining-missing', `${from.folder} has no finished stage ${name}`, {
        hint: 'Continue that run with the command that started it, or leave --pretrained out.',
      });
    }
    stage.begin();
    // `stage.json`, which makes the stage count as done, must come last.
    cpSync(source.folder, stage.folder, { recursive: true, filter: (file) => !file.endsWith('stage.json') });
    const { stage: _, finishedAt: __, ...result } = source.result();
    stage.finish({ ...result, from: from.folder });
  }
}
