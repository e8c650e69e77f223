import { ChronotopeError } from '../errors.js';
import { loadRecipe } from '../recipes/load.js';
import type { Recipe } from '../recipes/schemas.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import type { RunFolder } from './run-folder.js';

/** The settings a run was trained with. */
export function runRecipe(run: RunFolder): Recipe {
  return loadRecipe(run.path('recipe.yaml'));
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
        hint: `The results are in ${run.path('evaluation.json')}; --protocol knn, linear and retrieval look at its features.`,
      },
    );
  }
  const { method } = run.description;
  throw new ChronotopeError('no-classifiers', `${run.folder} is a run of ${method}, which learns no classifier`, {
    hint: 'Its features can be used: chronotope evaluate --protocol knn, linear or retrieval, and chronotope embed.',
  });
}
