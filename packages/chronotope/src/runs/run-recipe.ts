import { ChronotopeError } from '../errors.js';
import { loadRecipe } from '../recipes/load.js';
import type { VideoRecipe } from '../recipes/schemas.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import type { TrackerRecipe } from '../recipes/tracker.js';
import type { RunFolder } from './run-folder.js';

/**
 * The settings of a run that has learnt from videos.
 *
 * @throws ChronotopeError `is-a-tracker` for one that follows objects
 */
export function runRecipe(run: RunFolder): VideoRecipe {
  const recipe = loadRecipe(run.path('recipe.yaml'));
  if (recipe.method !== 'tracker') return recipe;
  throw new ChronotopeError('is-a-tracker', `${run.folder} is a run of tracker, which follows objects`, {
    hint: 'Use chronotope track evaluate and chronotope track run with it.',
  });
}

/**
 * The settings of a run of a tracker.
 *
 * @throws ChronotopeError `not-a-tracker`
 */
export function trackerRunRecipe(run: RunFolder): TrackerRecipe {
  const recipe = loadRecipe(run.path('recipe.yaml'));
  if (recipe.method === 'tracker') return recipe;
  throw new ChronotopeError('not-a-tracker', `${run.folder} is a run of ${recipe.method}, which follows nothing`, {
    hint: `Train a tracker on its features: chronotope train tracker --weights ${run.folder}:<stage> --data … --out …`,
  });
}

/**
 * The settings of a run that has classifiers.
 *
 * @throws ChronotopeError `no-classifiers` for a method that learns none, `tested-in-training` for `frames`
 */
export function classifierRecipe(run: RunFolder): TimeBalanceRecipe {
  const recipe = runRecipe(run);
  if (recipe.method === 'timebalance') return recipe;
  if (recipe.method === 'frames') {
    throw new ChronotopeError(
      'tested-in-training',
      `${run.folder} is a run of frames, which is tested as it is trained`,
      {
        hint: `The results are in ${run.path('evaluation.json')}; --protocol knn, linear, retrieval and fine-tune look at its features.`,
      },
    );
  }
  const { method } = run.description;
  throw new ChronotopeError('no-classifiers', `${run.folder} is a run of ${method}, which learns no classifier`, {
    hint: 'Its features can be used: chronotope evaluate --protocol knn, linear, retrieval or fine-tune, and chronotope embed.',
  });
}
