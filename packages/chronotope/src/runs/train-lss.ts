import { checkNetwork } from '../methods/lss/networks.js';
import { runLss } from '../methods/lss/pipeline.js';
import type { LssRecipe } from '../recipes/lss.js';
import { silentProgress } from '../training/progress.js';
import { readConceptFile } from './concept-file.js';
import type { StartOptions } from './start-run.js';
import { trainRepresentation } from './train-representation.js';

/**
 * Trains LSS, or SVT with its recipes, on videos alone.
 *
 * @throws ChronotopeError those of `trainRepresentation`, `checkNetwork`, `readConceptFile` and `runLss`
 */
export async function trainLss(options: StartOptions & { recipe: LssRecipe }): Promise<void> {
  const { recipe, progress = silentProgress } = options;
  const start = checkNetwork(recipe);
  if (start !== null) progress.note(start);
  const { source, file } = recipe.concepts;
  const concepts = recipe.head.kind === 'text' && source === 'file' ? readConceptFile(file!) : null;
  await trainRepresentation({ ...options, origin: concepts?.hash }, (run) => runLss({ ...run, concepts }));
}
